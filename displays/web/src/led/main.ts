/** A board of dots on an ordinary screen (UX 4, W-03 to W-07). */
import '../look/tokens.css'
import '../look/base.css'
import './led.css'
import { addMessages } from '../core/i18n'
import { lockDown, start } from '../core/start'
import App from './App.vue'
import en from './en.json'
import zh from './zh-CN.json'

addMessages(zh, en)
lockDown()
start(App)
