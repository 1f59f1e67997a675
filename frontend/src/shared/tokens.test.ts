import { readFileSync, readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { light } from './tokens'

test('static styles use variables that the theme has', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.module.css'))
  const styles = files.map((name) => readFileSync(`src/${name}`, 'utf8')).join('')
  const used = [...styles.matchAll(/var\(--sf-palette-sf-(\w+)\)/g)].map(([, name = '']) => name)
  expect(used).toContain('text')
  expect(used.filter((name) => !Object.keys(light).includes(name))).toEqual([])
})
