import { pageText } from '../../src/registry/page-text.ts'
import { countedText } from '../support/counted-text.ts'

const said = (html: string): string => pageText(html).replaceAll(/\s+/g, ' ').trim()

test.each([
  ['<h1>413</h1><p>nginx', '413 nginx'],
  ['<html><head><style>p{}</style><title>Too Large</title></head><body>a<br>b</body>', 'Too Large a b'],
  ['<SCRIPT>evil()</SCRIPT >after', 'after'],
  ['<script src="x">a<b>c</script>after', 'after'],
  ['<scripted>kept</scripted>', 'kept'],
  ['<headline>kept</headline>', 'kept'],
  ['before<style>never closed', 'before'],
  ['before<head><title>only a title</title>', 'before only a title'],
  ['a < b', 'a'],
  ['no tags', 'no tags'],
  ['', ''],
])('%j says %j', (html, expected) => {
  expect(said(html)).toBe(expected)
})

const N = 20_000
test.each([
  ['<', '<'.repeat(N)],
  ['<>', '<>'.repeat(N)],
  ['<script', '<script '.repeat(N)],
  ['<script>', '<script>'.repeat(N)],
  ['<head></head>', '<head></head>'.repeat(N)],
  ['<head>', '<head>'.repeat(N)],
  ['<title>', `<head>${'<title>'.repeat(N)}`],
  ['</script', `<script>${'</script'.repeat(N)}`],
  ['<a', '<a '.repeat(N)],
])('a page of nothing but %s costs a few looks at each character', (_name, html) => {
  const { text, looks } = countedText(html)
  pageText(text)
  expect(looks()).toBeLessThan(16 * html.length)
})
