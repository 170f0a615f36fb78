/** A citizen's ticket on the phone (UX 5). */
import '../look/tokens.css'
import '../look/base.css'
import '../look/phone.css'
import './phone.css'
import { createApp } from 'vue'
import { recallElder } from '../core/elder'
import { addMessages, chooseLocale } from '../core/i18n'
import { phoneLocale } from '../core/phone'
import App from './App.vue'
import en from './en.json'
import { followTicket } from './ticket'
import zh from './zh-CN.json'

const FIRST_MS = 3000

addMessages(zh, en)
chooseLocale(phoneLocale())
recallElder()
const followed = followTicket()
void followed.first(FIRST_MS).then(() => createApp(App, { followed }).mount('#app'))
