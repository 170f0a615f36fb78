/** The kiosk: from a tap to a number (UX 1). */
import '../look/tokens.css'
import '../look/base.css'
import '../look/kiosk.css'
import { addMessages } from '../core/i18n'
import { lockDown, start } from '../core/start'
import App from './App.vue'
import en from './en.json'
import zh from './zh-CN.json'

addMessages(zh, en)
lockDown()
start(App)
