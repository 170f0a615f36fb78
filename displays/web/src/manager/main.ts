/** The manager's page: what is wrong, the windows, the queues, and the hall's settings (UX 6). */
import '../look/tokens.css'
import '../look/base.css'
import '../look/desk.css'
import '../staff/staff.css'
import '../look/manager.css'
import { addMessages } from '../core/i18n'
import { startStaff } from '../staff/start'
import App from './App.vue'
import en from './en.json'
import zh from './zh-CN.json'

addMessages(zh, en)
startStaff(App)
