/** The kiosk: from a tap to a number (UX 1). */
import '../look/tokens.css'
import '../look/base.css'
import '../look/kiosk.css'
import { addMessages } from '../core/i18n'
import { lockDown, start } from '../core/start'
import App from './App.vue'
import zh from './zh-CN.json'

addMessages(zh, {}) // the English comes with rare.ts: nobody reads it in the first second
lockDown()
start(App)
