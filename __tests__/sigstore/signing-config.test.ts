import { messageOf } from '../../src/errors.ts'
import {
  parseSigningConfig,
  selectServices,
  type ConfiguredService,
  type Count,
} from '../../src/sigstore/signing-config.ts'
import { failureOf } from './client.ts'

const NOW = Date.parse('2026-06-01T00:00:00Z')

const service = (url: string, more: Partial<ConfiguredService> = {}): ConfiguredService => {
  return { url, majorApiVersion: 1, operator: url, from: -Infinity, until: Infinity, ...more }
}

const select = (services: readonly ConfiguredService[], count: Count = 'any', known = [1, 2]): readonly string[] =>
  selectServices(services, { known, count, nowMs: NOW, what: 'logs' }).map(({ url }) => url)

test('the document of the public good instance is read', () => {
  const config = parseSigningConfig(
    JSON.stringify({
      mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
      caUrls: [
        {
          url: 'https://fulcio.sigstore.dev',
          majorApiVersion: 1,
          validFor: { start: '2022-04-13T20:06:15.000Z' },
          operator: 'sigstore.dev',
        },
      ],
      oidcUrls: [{ url: 'https://oauth2.sigstore.dev/auth', majorApiVersion: 1, operator: 'sigstore.dev' }],
      rekorTlogUrls: [{ url: 'https://rekor.sigstore.dev', majorApiVersion: 1, operator: 'sigstore.dev' }],
      tsaUrls: [
        {
          url: 'https://timestamp.sigstore.dev/api/v1/timestamp',
          majorApiVersion: 1,
          validFor: { start: '2025-07-04T00:00:00Z', end: '2027-07-04T00:00:00Z' },
        },
      ],
      rekorTlogConfig: { selector: 'ANY' },
      tsaConfig: { selector: 'EXACT', count: 2 },
    }),
    'signing_config.json',
  )
  expect(config).toEqual({
    where: 'signing_config.json',
    certificateAuthorities: [
      {
        url: 'https://fulcio.sigstore.dev',
        majorApiVersion: 1,
        operator: 'sigstore.dev',
        from: Date.parse('2022-04-13T20:06:15Z'),
        until: Infinity,
      },
    ],
    logs: [{ ...service('https://rekor.sigstore.dev'), operator: 'sigstore.dev' }],
    logCount: 'any',
    timestampAuthorities: [
      {
        url: 'https://timestamp.sigstore.dev/api/v1/timestamp',
        majorApiVersion: 1,
        operator: '',
        from: Date.parse('2025-07-04T00:00:00Z'),
        until: Date.parse('2027-07-04T00:00:00Z'),
      },
    ],
    timestampCount: 2,
  })
})

test('the config of "cosign signing-config create" without services is one of nothing', () => {
  const mediaType = 'application/vnd.dev.sigstore.signingconfig.v0.2+json'
  const text = JSON.stringify({ mediaType, rekorTlogConfig: {}, tsaConfig: {} })
  expect(parseSigningConfig(text, 'sc.json')).toMatchObject({ certificateAuthorities: [], logs: [], logCount: 'any' })
})

test.each([
  [{ mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.1+json' }, 'mediaType is not'],
  [{ caUrls: [{ url: 'fulcio' }] }, 'caUrls.0.url is not a URL'],
  [{ caUrls: [{ url: 'file:///etc/passwd' }] }, 'caUrls.0.url is not http or https'],
  [{ tsaConfig: { selector: 'SOME' } }, 'tsaConfig.selector is not ANY, ALL or EXACT'],
  [{ tsaUrls: [{ url: 'https://x.test', validFor: { start: 'soon' } }] }, 'tsaUrls.0.validFor.start is not a time'],
])('what is wrong with a config is named: %j', async (document, problem) => {
  const text = JSON.stringify({ mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json', ...document })
  const failure = await failureOf((async () => Promise.resolve(parseSigningConfig(text, 'sc.json')))())
  expect(failure).toMatchObject({ code: 'INVALID_DOCUMENT' })
  expect(messageOf(failure)).toContain(`sc.json: ${problem}`)
})

describe('selecting', () => {
  test('what has ended, or has not begun, is not used', () => {
    const services = [
      service('ended', { until: NOW }),
      service('future', { from: NOW + 1 }),
      service('now', { from: NOW, until: NOW + 1 }),
    ]
    expect(select(services)).toEqual(['now'])
  })

  test('the highest version that is known comes first', () => {
    const services = [service('one'), service('two', { majorApiVersion: 2 }), service('three', { majorApiVersion: 3 })]
    expect(select(services)).toEqual(['two'])
    expect(select(services, 'all')).toEqual(['two'])
    expect(select(services, 'any', [1])).toEqual(['one'])
  })

  test('of one operator the newest is used', () => {
    const services = [service('2025', { from: 1, operator: 'o' }), service('2026', { from: 2, operator: 'o' })]
    expect(select(services, 'all')).toEqual(['2026'])
  })

  test.each<[Count, readonly string[]]>([
    ['any', ['a']],
    ['all', ['a', 'b', 'c']],
    [2, ['a', 'b']],
  ])('of three %p are %j', (count, urls) => {
    expect(select([service('a'), service('b'), service('c')], count)).toEqual(urls)
  })

  test('fewer than have to be used are too few', () => {
    expect(() => select([service('a'), service('b', { until: 0 })], 2)).toThrow(
      'names 2 logs, and 1 that can be used now, with version 1 and 2 of the API, where 2 is needed',
    )
  })

  test('where none is named none is used', () => {
    expect(select([], 'all')).toEqual([])
  })
})
