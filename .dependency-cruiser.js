import { LEAVES, PACKAGES, ROOMS } from './rooms.js'

const path = room => `^src/${room.endsWith('.ts') ? `${room.replace('.', '[.]')}$` : `${room}/`}`
const any = rooms => `(?:${rooms.map(path).join('|')})`
const error = (name, from, to) => ({ name, severity: 'error', from, to })
const only = (room, may) => error(room, { path: path(room) }, { path: '^src/', pathNot: any([room, ...may]) })

export default {
  forbidden: [
    error('no cycles, not even of types', {}, { circular: true }),
    error('every file is used', { orphan: true, path: '^src/' }, {}),
    error('every file has a room', { path: '^src/', pathNot: any([...LEAVES, ...Object.keys(ROOMS)]) }, {}),
    ...LEAVES.map((leaf, i) => only(leaf, LEAVES.slice(0, i))),
    ...Object.entries(ROOMS).map(([room, may]) => only(room, [...may, ...LEAVES])),
    ...Object.entries(PACKAGES).map(([name, rooms]) =>
      error(name, { path: '^src/', pathNot: any(rooms) }, { path: `node_modules/${name}/` }),
    ),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
  },
}
