/**
 * What remains of `GIT_*`: how this machine is set up, and whom its user trusts (`safe.directory`). The others point git at
 * another repository, as they do in a hook, or name programs.
 */
const KEPT =
  /^GIT_(?:EXEC_PATH|CEILING_DIRECTORIES|DISCOVERY_ACROSS_FILESYSTEM|CONFIG_(?:GLOBAL|SYSTEM|NOSYSTEM|COUNT|KEY_\d+|VALUE_\d+))$/i

/** Each alone keeps a missing object from being fetched by the program that a repository names; older gits know only the second. */
const OFFLINE = { GIT_NO_LAZY_FETCH: '1', GIT_ALLOW_PROTOCOL: 'none', GIT_TERMINAL_PROMPT: '0' }

/** The environment in which git is asked where a repository is. */
export function discoveryEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...without(env, name => !KEPT.test(name)), ...OFFLINE, GIT_OPTIONAL_LOCKS: '0' }
}

/**
 * The environment in which git sees objects, and no configuration but that of a directory that we made.
 *
 * @param gitDir made by us
 * @param objects of the repository
 */
export function isolatedEnvironment(env: NodeJS.ProcessEnv, gitDir: string, objects: string): NodeJS.ProcessEnv {
  return {
    ...without(env, name => name.toUpperCase() !== 'GIT_EXEC_PATH'),
    ...OFFLINE,
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_DIR: gitDir,
    GIT_OBJECT_DIRECTORY: objects,
    // Where the user's own configuration would be: it is harmless by itself, but names programs such as git-lfs, which
    // read the repository's.
    HOME: gitDir,
    XDG_CONFIG_HOME: gitDir,
  }
}

function without(env: NodeJS.ProcessEnv, isDropped: (name: string) => boolean): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^GIT_/i.test(name) || !isDropped(name)))
}
