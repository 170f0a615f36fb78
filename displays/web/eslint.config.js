// Rules for every screen. ES2018 is what Chrome 64 speaks; tsconfig's lib refuses newer built-ins, `compat` newer browser interfaces.
import compat from 'eslint-plugin-compat'
import vue from 'eslint-plugin-vue'
import tseslint from 'typescript-eslint'
import vueParser from 'vue-eslint-parser'

const HAN = "[\\u3400-\\u9fff]"

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'src/core/wire.ts'] },
  ...tseslint.configs.recommended,
  ...vue.configs['flat/recommended'],
  {
    files: ['**/*.vue'],
    languageOptions: { parser: vueParser, parserOptions: { parser: tseslint.parser, extraFileExtensions: ['.vue'] } },
  },
  {
    files: ['src/**/*.{ts,vue}'],
    plugins: { compat },
    settings: { browserslistOpts: {}, targets: ['chrome 64'], lintAllEsApis: true },
    rules: {
      'compat/compat': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      // UX X-10: what a person reads comes from a catalogue or from the server.
      'vue/no-bare-strings-in-template': ['error', { allowlist: ['·', '–', '/', ':', ' '] }],
      'no-restricted-syntax': [
        'error',
        { selector: `Literal[value=/${HAN}/]`, message: 'UX X-10: put the text into a catalogue' },
        { selector: `TemplateElement[value.raw=/${HAN}/]`, message: 'UX X-10: put the text into a catalogue' },
        { selector: "MemberExpression[property.name='innerHTML']", message: 'text is data, never markup' },
      ],
      'no-restricted-globals': ['error', { name: 'speechSynthesis', message: 'UX V-01: the server makes the audio' }],
      'no-eval': 'error',
      'vue/max-attributes-per-line': 'off',
      'vue/singleline-html-element-content-newline': 'off',
      'vue/multiline-html-element-content-newline': 'off',
      'vue/multi-word-component-names': 'off',
      'vue/html-self-closing': ['error', { html: { void: 'always', normal: 'always' } }],
      'vue/html-closing-bracket-newline': 'off',
      'vue/html-indent': 'off',
      'max-lines': ['error', 400],
    },
  },
  { files: ['src/fixtures/**'], rules: { 'no-restricted-syntax': 'off' } },
)
