import { tellUncaught } from '../../src/cli/program.ts'
import { fakeIo } from './fake-io.ts'

test('what nobody foresaw is told harmlessly as well', () => {
  const { io, err } = fakeIo()
  tellUncaught(new TypeError('no\n::set-output name=x::y \u001b[2J'), io, {})
  expect(err().split('\n').slice(0, 1)).toEqual(['error: no ::set-output name=x::y \\u001b[2J'])
  expect(err()).toContain('This looks like a bug')
})
