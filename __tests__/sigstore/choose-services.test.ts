import { readFile } from 'node:fs/promises'
import { chooseServices, type ServiceWishes, type Services } from '../../src/sigstore/choose-services.ts'
import { parseSigningConfig, type ConfiguredService, type SigningConfig } from '../../src/sigstore/signing-config.ts'
import { startSigstore } from '../support/sigstore/start-sigstore.ts'

const NOW = Date.parse('2026-06-01T00:00:00Z')
const PUBLIC: Services = {
  instance: 'public-good',
  fulcioUrl: 'https://fulcio.sigstore.dev',
  log: { url: 'https://rekor.sigstore.dev', version: 1 },
  tsaUrl: undefined,
}
const GITHUB: Services = {
  instance: 'github',
  fulcioUrl: 'https://fulcio.githubapp.com',
  log: undefined,
  tsaUrl: 'https://timestamp.githubapp.com/api/v1/timestamp',
}

const choose = (wishes: Partial<ServiceWishes>): ReturnType<typeof chooseServices> =>
  chooseServices({ instance: 'auto', keyless: true, legacy: false, nowMs: NOW, ...wishes })

const service = (url: string, majorApiVersion = 1): ConfiguredService => {
  return { url, majorApiVersion, operator: url, from: -Infinity, until: Infinity }
}
const config = (more: Partial<SigningConfig>): SigningConfig => ({
  where: 'sc.json',
  certificateAuthorities: [service('https://ca.test')],
  logs: [],
  logCount: 'any',
  timestampAuthorities: [service('https://tsa.test/api/v1/timestamp')],
  timestampCount: 'any',
  ...more,
})

describe('without addresses', () => {
  test.each<[string, Partial<ServiceWishes>, Services]>([
    ['a public repository', { visibility: 'public' }, PUBLIC],
    ['nobody knows what', {}, PUBLIC],
    ['a private repository', { visibility: 'private' }, GITHUB],
    ['an internal repository', { visibility: 'internal' }, GITHUB],
    ['a public repository that asks for it', { visibility: 'public', instance: 'github' }, GITHUB],
    [
      'a private repository at GHE.com',
      { visibility: 'private', serverUrl: 'https://octo.ghe.com' },
      {
        instance: 'github',
        fulcioUrl: 'https://fulcio.octo.ghe.com',
        log: undefined,
        tsaUrl: 'https://timestamp.octo.ghe.com/api/v1/timestamp',
      },
    ],
    ['a key', { keyless: false }, { instance: 'own', fulcioUrl: undefined, log: undefined, tsaUrl: undefined }],
  ])('%s', (_, wishes, services) => {
    expect(choose(wishes)).toEqual({ services, problems: [], notices: [] })
  })

  test('a private repository that asks for the public log is told what it shows', () => {
    expect(choose({ instance: 'public-good', visibility: 'private' })).toEqual({
      services: PUBLIC,
      problems: [],
      notices: ['the public log will show the names of this private repository, its workflow and branch to everybody'],
    })
  })

  test('a server of its own has no sigstore of GitHub', () => {
    expect(choose({ instance: 'github', serverUrl: 'https://github.acme.test' }).problems).toEqual([
      {
        input: 'sigstore',
        problem: 'github.acme.test has no sigstore of its own: github.com and GHE.com have',
        hint: 'set "fulcio-url" and "tsa-url", or "sigstore: public-good"',
      },
    ])
  })
})

describe('with addresses', () => {
  test('nothing of an own sigstore reaches the public log', () => {
    const { services, problems } = choose({ fulcioUrl: 'https://ca.test', tsaUrl: 'https://tsa.test/api' })
    expect(problems).toEqual([])
    expect(services).toEqual({
      instance: 'own',
      fulcioUrl: 'https://ca.test',
      log: undefined,
      tsaUrl: 'https://tsa.test/api',
    })
  })

  test('a key is logged where that is asked for', () => {
    const { services, problems } = choose({ keyless: false, rekorUrl: 'https://log.test', rekorVersion: 2 })
    expect(problems).toEqual([])
    expect(services.log).toEqual({ url: 'https://log.test', version: 2 })
  })

  test.each<[string, Partial<ServiceWishes>, string]>([
    [
      'a certificate that nobody dates',
      { fulcioUrl: 'https://ca.test' },
      'tsa-url: is missing: keyless signatures need a log or a timestamp authority to say when they were made (set "rekor-url" or "tsa-url")',
    ],
    [
      'Rekor 2 without a timestamp authority',
      { fulcioUrl: 'https://ca.test', rekorUrl: 'https://log.test', rekorVersion: 2 },
      'tsa-url: is missing: Rekor 2 does not say when it was asked, and keyless signatures have to be dated (name a timestamp authority)',
    ],
    [
      'the older form with Rekor 2',
      { keyless: false, legacy: true, rekorUrl: 'https://log.test', rekorVersion: 2 },
      'rekor-version: signatures of the older form cannot hold the entries of Rekor 2 (set "signature-format: bundle")',
    ],
    [
      'Rekor 2 without an address',
      { rekorVersion: 2 },
      'rekor-url: is missing, and "rekor-version" is 2 (the public log of version 2 changes its address twice a year: name it in "signing-config")',
    ],
  ])('%s is a problem', (_, wishes, sentence) => {
    const sentences = choose(wishes).problems.map(({ input, problem, hint = '' }) => `${input}: ${problem} (${hint})`)
    expect(sentences).toEqual([sentence])
  })
})

describe('with a signing config', () => {
  test('its services are used, and an address of an input instead of one of them', () => {
    const signingConfig = config({ logs: [service('https://log.test', 2)] })
    expect(choose({ signingConfig, visibility: 'private' }).services).toEqual({
      instance: 'own',
      fulcioUrl: 'https://ca.test',
      log: { url: 'https://log.test', version: 2 },
      tsaUrl: 'https://tsa.test/api/v1/timestamp',
    })
    expect(choose({ signingConfig, rekorUrl: 'https://other.test' }).services.log).toEqual({
      url: 'https://other.test',
      version: 1,
    })
  })

  test.each<[string, Partial<SigningConfig>, readonly string[]]>([
    [
      'no certificate authority',
      { certificateAuthorities: [] },
      ['names no certificate authority, which keyless signatures need'],
    ],
    [
      'only a certificate authority of another version',
      { certificateAuthorities: [service('https://ca.test', 2)] },
      ['names 1 certificate authorities, and 0 that can be used now, with version 1 of the API, where 1 is needed'],
    ],
    [
      'two logs for each signature',
      { logs: [service('https://a.test'), service('https://b.test')], logCount: 2 },
      ['asks for 2 logs for each signature, and one is what is supported'],
    ],
    [
      'Rekor 2 and no timestamp authority',
      { logs: [service('https://a.test', 2)], timestampAuthorities: [] },
      ['names no timestamp authority: Rekor 2 does not say when it was asked, and keyless signatures have to be dated'],
    ],
  ])('%s is a problem of the file', (_, more, problems) => {
    const found = choose({ signingConfig: config(more) }).problems
    expect(found.map(({ input }) => input)).toEqual(problems.map(() => 'signing-config'))
    expect(found.map(({ problem }) => problem)).toEqual(problems)
  })

  test('that of the sigstore of these tests fits it', async () => {
    await using sigstore = await startSigstore()
    const signingConfig = parseSigningConfig(await readFile(sigstore.signingConfigFile), 'sc.json')
    expect(choose({ signingConfig })).toEqual({
      services: {
        instance: 'own',
        fulcioUrl: sigstore.fulcioUrl,
        log: { url: sigstore.rekorUrl, version: 2 },
        tsaUrl: sigstore.tsaUrl,
      },
      problems: [],
      notices: [],
    })
  })
})
