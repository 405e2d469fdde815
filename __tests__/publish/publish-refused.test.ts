import { InputError, messageOf } from '../../src/errors.ts'
import type { FieldValues } from '../../src/publish/fields.ts'
import { startSpecRegistry, type SpecRegistryOptions } from '../../conformance/server/registry.ts'
import { onBase, pushOs, putProject, writes } from './project.ts'
import { openWorkshop } from './workshop.ts'

/** Nobody listens there. */
const NOWHERE = '127.0.0.1:1'

describe('a request that is wrong is refused before anything is written', () => {
  test.each<[problem: string, more: FieldValues, says: readonly RegExp[]]>([
    [
      'a platform without architecture',
      { platforms: ['linux'] },
      [/^platforms: unknown platform "linux": .*linux[/]arm64/],
    ],
    [
      'an architecture that nobody makes',
      { platforms: ['linux/amd64', 'linux/z80'] },
      [/^platforms: unknown platform "linux[/]z80": "z80" is not one of 386, amd64, /],
    ],
    [
      'a source that is not there for any platform',
      { layers: ['dist/{arch}/none:/srv'] },
      ['amd64', 'arm64'].map(
        arch =>
          new RegExp(`^layers: "dist/{arch}/none:/srv" [(]linux/${arch}[)]: there is no "dist/${arch}/none" in /`),
      ),
    ],
    [
      'a source that is there for one platform and not for the other',
      { layers: ['only/{arch}:/srv'] },
      [/^layers: "only[/]{arch}:[/]srv" [(]linux[/]arm64[)]: there is no "only[/]arm64" in [/]/],
    ],
    [
      'a source that is not there, in a line of all platforms',
      { layers: ['assets/:/srv/', 'none:/srv'] },
      [/^layers: "none:[/]srv": there is no "none" in [/]/],
    ],
    ['a destination that is not absolute', { layers: ['assets/:srv'] }, [/^layers: "assets[/]:srv": .*SRC:[/]DEST/]],
    [
      'a destination that leads out of the image',
      { layers: ['assets/:/srv/../../etc'] },
      [/^layers: "assets[/]:[/]srv[/][.][.][/][.][.][/]etc": dest ".*" leads out of the image/],
    ],
    [
      'a base that lacks a platform',
      { platforms: ['linux/amd64', 'linux/s390x'], layers: ['assets/:/srv/'] },
      [
        /^base-image: the base image .*[/]base[/]os .* lacks linux[/]s390x; it has linux[/]amd64, linux[/]arm64 [(].*platforms/,
      ],
    ],
    ['tags that are none', { tags: ['v 1', '-x'] }, [/^tags: "v 1" is not a tag/, /^tags: "-x" is not a tag/]],
    [
      'a path through a file that is not a directory',
      { layers: ['app.conf/x:/srv'] },
      [/^layers: "app.conf[/]x:[/]srv": .*app.conf.* is not a directory/],
    ],
    [
      'a file whose name means a deletion',
      { layers: ['deleted/:/srv/'] },
      [
        /^layers: "deleted[/]:[/]srv[/]": .*[/]deleted[/][.]wh[.]passwd: names that begin with "[.]wh[.]" stand for deletions/,
      ],
    ],
    [
      'several things, all of them told at once',
      {
        tags: ['v 1'],
        platforms: ['lin ux', 'linux/amd64'],
        layers: ['none:/srv', 'assets/:srv', 'assets/:/srv/'],
        envs: ['A'],
      },
      [
        /^tags: /,
        /^platforms: /,
        /^layers: "assets[/]:srv": /,
        /^envs: /,
        /^layers: "none:[/]srv": there is no "none"/,
      ],
    ],
    [
      'what the files and the base say, together',
      { platforms: ['linux/amd64', 'linux/s390x'] },
      [/^layers: .* there is no "dist[/]s390x[/]tool"/, /^base-image: .* lacks linux[/]s390x/],
    ],
  ])('%s', async (_problem, more, says) => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putProject(workshop)
    workshop.put({ 'only/amd64': 'for amd64', 'deleted/.wh.passwd': '' })
    await pushOs(registry)
    const mark = registry.requests.length
    const error = await workshop.publish(onBase(registry, undefined, more)).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(InputError)
    const lines = messageOf(error).split('\n')
    expect(lines).toEqual(says.map(one => expect.stringMatching(one) as string))
    expect(writes(registry, mark)).toEqual([])
  })

  test('a registry that does not answer, told with the file that is missing', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putProject(workshop)
    await pushOs(registry)
    const mark = registry.requests.length
    const values = onBase(registry, [`${NOWHERE}/team/app`, `${registry.host}/team/app`], { layers: ['none:/srv'] })
    const error = await workshop.publish(values, { impatient: true }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(AggregateError)
    expect((error as AggregateError).errors.map(messageOf)).toEqual([
      expect.stringContaining('there is no "none"'),
      expect.stringContaining(`${NOWHERE}/team/app: could not read manifest v1: no answer`),
    ])
    expect(writes(registry, mark)).toEqual([])
  })

  test('a repository in upper case is published in lower case, and the user is told', async () => {
    await using registry = await startSpecRegistry()
    using workshop = openWorkshop()
    putProject(workshop)
    await pushOs(registry)
    const { report, events } = await workshop.publish(onBase(registry, [`${registry.host}/Team/App`]))
    expect(report.tags).toEqual([`${registry.host}/team/app:v1`])
    expect(events).toContainEqual({
      type: 'notice',
      text: `${registry.host}/Team/App is published as ${registry.host}/team/app: repositories are lowercase`,
    })
  })
})

describe('a registry that refuses is told by name, with what to do', () => {
  const user = { username: 'robot', password: 'secret' }
  const wrong = { ...user, password: 'wrong' }
  const own: FieldValues = { platforms: ['linux/amd64'], 'base-image': 'scratch', layers: ['assets/:/srv/'] }

  const refused = / refused the credentials of inputs username and password: /
  const none = / no credentials for .* looked at: inputs, docker config [/]/
  const login = /docker login/

  test.each<[what: string, options: SpecRegistryOptions, more: FieldValues, code: string, says: RegExp, hint: RegExp]>([
    ['a wrong password', { auth: { scheme: 'basic', ...user } }, wrong, 'UNAUTHORIZED', refused, login],
    ['a wrong password for a token', { auth: { scheme: 'bearer', ...user } }, wrong, 'UNAUTHORIZED', refused, login],
    ['no password at all', { auth: { scheme: 'basic', ...user } }, {}, 'UNAUTHORIZED', none, login],
    ['no password at all for a token', { auth: { scheme: 'bearer', ...user } }, {}, 'UNAUTHORIZED', none, login],
    [
      'no password where anybody may read',
      { auth: { scheme: 'bearer', ...user, anonymousPull: true } },
      {},
      'UNAUTHORIZED',
      none,
      login,
    ],
    [
      'a user who may only read',
      { auth: { scheme: 'bearer', ...user, grants: () => ['pull'] } },
      user,
      'UNAUTHORIZED',
      / the credentials of inputs username and password may not push to \S+[/]team[/]app: /,
      /the right to write to "team[/]app"/,
    ],
    [
      'a repository that nobody made',
      { createOnPush: false },
      {},
      'NOT_FOUND',
      / could not start to push blob .* NAME_UNKNOWN/,
      /create "team[/]app" first/,
    ],
  ])('%s', async (_what, options, more, code, says, hint) => {
    await using registry = await startSpecRegistry(options)
    using workshop = openWorkshop()
    putProject(workshop)
    const error = await workshop
      .publish({ ...onBase(registry, undefined, own), ...more })
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code, hint: expect.stringMatching(hint) as string })
    expect(` ${messageOf(error)}`).toMatch(says)
    expect(messageOf(error)).toContain(registry.host)
    expect(registry.requests.filter(({ method, status }) => method.startsWith('P') && status < 300)).toEqual([])
  })
})
