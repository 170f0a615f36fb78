/** The strip: the desk in a small window beside the acceptance system (UX C-07). */
import '../look/tokens.css'
import '../look/base.css'
import './strip.css'
import { addMessages } from '../core/i18n'
import { startStaff } from '../staff/start'
import App from './App.vue'
import en from '../console/en.json'
import zh from '../console/zh-CN.json'

addMessages(zh, en)
startStaff(App)
