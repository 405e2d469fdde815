import { parseProfiles, profileOf } from '../../src/registry/profile.ts'

describe('profileOf()', () => {
  test.each([
    ['123456789012.dkr.ecr.eu-west-1.amazonaws.com', 'ecr'],
    ['123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com', 'ecr'],
    ['123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn', 'ecr'],
    ['123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu', 'ecr'],
    ['123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov', 'ecr'],
    ['123456789012.dkr-ecr.eu-west-1.on.aws', 'ecr'],
    ['123456789012.dkr-ecr-fips.us-east-1.on.aws', 'ecr'],
    ['public.ecr.aws', 'ecr-public'],
    ['ecr-public.aws.com', 'ecr-public'],
    ['ghcr.io', 'ghcr'],
    ['containers.octo.ghe.com', 'ghcr'],
    ['docker.io', 'docker-hub'],
    ['europe-west1-docker.pkg.dev', 'gar'],
    ['gcr.io', 'gar'],
    ['eu.gcr.io', 'gar'],
    ['team.azurecr.io', 'acr'],
    ['team.azurecr.cn', 'acr'],
    ['quay.io', 'quay'],
    ['registry.gitlab.com', 'gitlab'],
    ['team.jfrog.io', 'artifactory'],
    ['127.0.0.1:5000', 'generic'],
    ['harbor.example.com', 'generic'],
    ['ghcr.io.example.com', 'generic'],
    ['notquay.io', 'generic'],
  ])('%s is known as %s', (host, name) => {
    expect(profileOf(host).name).toBe(name)
  })

  test('what the user says of a host counts more than its name', () => {
    const { profiles } = parseProfiles(['quay.io=generic', 'Registry.Example.com:5000 = harbor', 'index.docker.io=zot'])
    expect(
      ['quay.io', 'registry.example.com:5000', 'docker.io', 'ghcr.io'].map(host => profileOf(host, profiles).name),
    ).toEqual(['generic', 'harbor', 'zot', 'ghcr'])
  })

  test('no chunk is sent where chunks are lost, nor a larger one than is taken', () => {
    expect(profileOf('123456789012.dkr.ecr.eu-west-1.amazonaws.com').chunks).toBe('never')
    expect(profileOf('ghcr.io').chunks).toEqual({ minBytes: 4 << 20, maxBytes: 4 << 20 })
  })
})

test('every line of registry-profile that cannot be read is told, with what can be said', () => {
  expect(
    parseProfiles(['harbor', 'https://a.example.com=zot', 'a.example.com=nexus', 'b.example.com=toString']),
  ).toEqual({
    profiles: new Map(),
    problems: [
      { input: 'registry-profile', problem: '"harbor" is not HOST=PROFILE' },
      { input: 'registry-profile', problem: '"https://a.example.com=zot" is not HOST=PROFILE' },
      {
        input: 'registry-profile',
        problem:
          '"nexus" is not one of ecr, ecr-public, ghcr, docker-hub, gar, acr, quay, harbor, gitlab, artifactory, zot, distribution, generic',
      },
      { input: 'registry-profile', problem: expect.stringContaining('"toString" is not one of ecr') as string },
    ],
  })
})
