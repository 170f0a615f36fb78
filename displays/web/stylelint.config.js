// Refuses what Chrome 64 does not know (UX 3, "Old engines"): the cost is the same for every screen, so all obey.
// The version beside each name is the first Chrome that has it.
export default {
  overrides: [{ files: ['**/*.vue'], customSyntax: 'postcss-html' }],
  rules: {
    'property-disallowed-list': [
      [
        'gap', 'row-gap', 'column-gap', // flex 84, grid without prefix 66: use margins and grid-gap
        '/^inset/', // 87
        'aspect-ratio', // 88
        '/^(margin|padding)-(inline|block)/', // 69 to 87
        '/^border-(inline|block|start|end)/', // 69 to 89
        '/^(min-|max-)?(inline|block)-size$/', // 57, but useless without the others
        'accent-color', // 93
        'scrollbar-gutter', // 94
        'content-visibility', // 85
        'contain', 'container', 'container-type', 'container-name', // 105
        'translate', 'rotate', 'scale', // 104
        'text-wrap', 'backdrop-filter', 'scrollbar-width', 'scrollbar-color',
      ],
    ],
    'function-disallowed-list': ['min', 'max', 'clamp', 'env', 'color-mix', 'conic-gradient', 'oklch', 'oklab', 'lch', 'lab', 'light-dark'],
    'selector-pseudo-class-disallowed-list': ['is', 'where', 'has', 'focus-visible'], // 88, 88, 105, 86
    'selector-nested-pattern': ['^$', { splitList: true }], // nesting: 120
    'unit-disallowed-list': ['dvh', 'dvw', 'svh', 'svw', 'lvh', 'lvw', 'vi', 'vb', 'cqw', 'cqh', 'lh', 'rlh'],
    'at-rule-disallowed-list': ['container', 'layer', 'property', 'scope', 'import', 'starting-style'],
    'media-feature-name-disallowed-list': ['prefers-color-scheme', 'prefers-contrast', 'hover'],
    'color-function-notation': 'legacy', // rgb(0 0 0 / 5%): 65
    'alpha-value-notation': 'number',
    'function-url-scheme-disallowed-list': ['http', 'https', '//'], // UX X-09
    'block-no-empty': true,
    'color-no-invalid-hex': true,
    'declaration-block-no-duplicate-properties': true,
    'no-invalid-double-slash-comments': true,
    'property-no-unknown': true,
    'unit-no-unknown': true,
  },
}
