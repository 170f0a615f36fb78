/** The guide's tablet (UX 7). */
import '../look/tokens.css'
import '../look/base.css'
import '../look/guide.css'
import { addMessages } from '../core/i18n'
import { keptLocale } from '../core/language'
import { start } from '../core/start'
import App from './App.vue'
import en from './en.json'
import zh from './zh-CN.json'

addMessages(zh, en)
start(App, keptLocale())
