/** The rating of one service on the citizen's own phone (UX P-10). */
import '../look/tokens.css'
import '../look/base.css'
import '../look/phone.css'
import '../phone/phone.css'
import './rating.css'
import { recallElder } from '../core/elder'
import { addMessages } from '../core/i18n'
import { phoneLocale } from '../core/phone'
import { start } from '../core/start'
import phoneEn from '../phone/en.json'
import phoneZh from '../phone/zh-CN.json'
import App from './App.vue'
import en from './en.json'
import zh from './zh-CN.json'

addMessages(phoneZh, phoneEn)
addMessages(zh, en)
recallElder()
start(App, phoneLocale())
