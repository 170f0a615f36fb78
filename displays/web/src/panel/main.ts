/** The panel of emulated devices: their keys, dots, papers and plugs (`yichuang emulate … --panel`). */
import '../look/tokens.css'
import '../look/base.css'
import './panel.css'
import { addMessages } from '../core/i18n'
import { start } from '../core/start'
import App from './App.vue'
import en from './en.json'
import zh from './zh-CN.json'

addMessages(zh, en)
start(App)
