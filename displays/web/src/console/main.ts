/** The clerk's console: a desk by keyboard, eight hours a day (UX 2). */
import '../look/tokens.css'
import '../look/base.css'
import '../look/desk.css'
import '../staff/staff.css'
import { addMessages } from '../core/i18n'
import { startStaff } from '../staff/start'
import App from './App.vue'
import en from './en.json'
import zh from './zh-CN.json'

addMessages(zh, en)
startStaff(App)
