import js from '@eslint/js'
import hooks from 'eslint-plugin-react-hooks'
import tseslint from 'typescript-eslint'

const letters = '/\\p{L}/u'
const translated = 'A text that people read belongs to src/shared/i18n.'

/** Layers: shared knows no feature, features know no app. */
const forbid = (...layers) => ({
  'no-restricted-imports': ['error', { patterns: [{ group: ['../*'], message: 'Use "@/…".' }, ...layers] }],
})
const layer = (name) => ({ group: [`@/${name}/*`], message: `This layer may not import "${name}".` })

export default tseslint.config(
  { ignores: ['dist', 'graphiql', 'src/graphql-env.d.ts', 'node_modules'] },
  js.configs.recommended,
  ...tseslint.configs.strict,
  ...tseslint.configs.stylistic,
  hooks.configs.flat['recommended-latest'],
  {
    rules: {
      ...forbid(),
      'max-lines': ['error', 200],
      eqeqeq: 'error',
      'no-console': 'error',
      '@typescript-eslint/no-confusing-void-expression': 'off',
      'no-restricted-syntax': [
        'error',
        {
          selector: `:not(JSXElement[openingElement.name.name='Kbd']) > JSXText[value=${letters}]`,
          message: translated,
        },
        {
          selector: `JSXAttribute[name.name=/^(aria-label|aria-valuetext|title|placeholder|alt|label|hint|text)$/] > Literal[value=${letters}]`,
          message: translated,
        },
        {
          selector: 'JSXAttribute[name.name=/^(dangerouslySetInnerHTML)$/]',
          message: 'The policy requires Trusted Types: markup comes from React only.',
        },
      ],
    },
  },
  // Data.
  { files: ['src/shared/icons.tsx'], rules: { 'max-lines': 'off' } },
  { files: ['src/shared/**'], rules: forbid(layer('features'), layer('app')) },
  { files: ['src/features/**'], rules: forbid(layer('app')) },
  { files: ['src/**/*.test.{ts,tsx}'], rules: { 'no-restricted-syntax': 'off' } },
  {
    files: ['scripts/**', 'public/**', '*.js'],
    languageOptions: {
      globals: { process: 'readonly', document: 'readonly', localStorage: 'readonly', matchMedia: 'readonly' },
    },
  },
)
