import * as core from '@actions/core'
import { Edge } from '../../src/action/edge.ts'
import { readInputs, withRefTags } from '../../src/action/inputs.ts'
import { FIELDS, type Field } from '../../src/publish/fields.ts'
import { recorder } from './recorder.ts'

describe('readInputs()', () => {
  test('masks secrets before any other input is read', () => {
    const { runner, calls } = recorder({ password: 's3cret', 'github-token': 'ghs_1', images: 'ghcr.io/a/b' })
    readInputs(new Edge(runner))
    expect(calls.filter(call => call.startsWith('setSecret'))).toEqual(['setSecret: s3cret', 'setSecret: ghs_1'])
    const secrets = new Set((FIELDS as readonly Field[]).filter(({ secret }) => secret).map(({ name }) => name))
    const read = calls.slice(0, calls.lastIndexOf('setSecret: ghs_1')).filter(call => call.startsWith('getInput'))
    expect(read.filter(call => !secrets.has(call.replace('getInput: ', '')))).toEqual([])
  })

  test('reads every field there is, and none twice', () => {
    const { runner, calls } = recorder()
    readInputs(new Edge(runner))
    expect(calls.toSorted()).toEqual(FIELDS.map(({ name }) => `getInput: ${name}`).toSorted())
  })

  test('an empty input is the same as none: the runner sets all of them', () => {
    expect(readInputs(new Edge(recorder({ images: '', tags: 'v1' }).runner))).toEqual({ tags: 'v1' })
  })

  test('finds inputs where the runner puts them', () => {
    process.env['INPUT_BASE-IMAGE'] = '  debian:12 '
    process.env['INPUT_LAYERS'] = 'a:/a\nb:/b\n'
    try {
      expect(readInputs(new Edge(core))).toEqual({ 'base-image': 'debian:12', layers: 'a:/a\nb:/b' })
    } finally {
      delete process.env['INPUT_BASE-IMAGE']
      delete process.env['INPUT_LAYERS']
    }
  })
})

describe('withRefTags()', () => {
  const env = { GITHUB_EVENT_NAME: 'push', GITHUB_REF: 'refs/heads/main' }

  test.each([
    ['the branch, where the user named none', { images: 'ghcr.io/a/b' }, ['main']],
    ['a port is not a tag', { images: 'localhost:5000/a' }, ['main']],
    ['only a comment is no tag', { images: 'a/b', tags: '# later' }, ['main']],
    ['what the user gave stays', { images: 'a/b', tags: 'v1' }, 'v1'],
    ['an image that carries a tag is enough', { images: 'a/b\nghcr.io:443/a/b:v1' }, undefined],
  ])('%s', (_name, values, tags) => {
    expect(withRefTags(values, env).tags).toEqual(tags)
  })

  test('a chart alone has the tag of its version, an image beside it those of the run', () => {
    const env = { GITHUB_EVENT_NAME: 'push', GITHUB_REF: 'refs/tags/v1', GITHUB_REF_TYPE: 'tag', GITHUB_REF_NAME: 'v1' }
    const alone = { images: 'ghcr.io/a/b', chart: 'web' }
    expect(withRefTags(alone, env)).toEqual(alone)
    expect(withRefTags({ ...alone, layers: 'a:/a' }, env).tags).toContain('v1')
  })

  test('no tag is made up where the event does not say what was built', () => {
    expect(withRefTags({ images: 'a/b' }, {})).toEqual({ images: 'a/b' })
  })
})
