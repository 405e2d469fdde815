/** Who owns what a line adds, as typed: numbers, or names that the base's passwd and group know. */
export interface Owner {
  readonly user: number | string
  /** undefined: the user's own, and for a number the same number. */
  readonly group: number | string | undefined
}

/** The two files a name is looked up in, where the base has them. */
export interface Accounts {
  /** `etc/passwd` as it stands in the image, links followed. */
  readonly passwd: string | undefined
  readonly group: string | undefined
}

export interface Ids {
  readonly uid: number
  readonly gid: number
}

const NAME = /^[A-Za-z_][A-Za-z0-9_.-]*[$]?$/
/** The largest there is; the one above means "leave it as it is" to chown. */
const MAX_ID = 0xffff_fffe

/** @returns undefined when it is not `UID[:GID]`, `NAME[:GROUP]` or a mix of them */
export function parseOwner(text: string): Owner | undefined {
  const [user, group, ...more] = text.split(':').map(parsePart)
  if (user === undefined || more.length > 0 || (text.includes(':') && group === undefined)) return undefined
  return { user, group }
}

function parsePart(text: string): number | string | undefined {
  if (NAME.test(text)) return text
  return /^\d{1,10}$/.test(text) && Number(text) <= MAX_ID ? Number(text) : undefined
}

/**
 * The numbers of an owner. A name that nobody knows is a problem rather than root: files would silently belong
 * to the wrong user.
 */
export function resolveOwner(
  { user, group }: Owner,
  accounts: Accounts,
): Ids | { readonly problems: readonly string[] } {
  const found = typeof user === 'number' ? { uid: user, gid: user } : findUser(user, accounts)
  const gid = group === undefined ? found?.gid : typeof group === 'number' ? group : findGroup(group, accounts)
  if (found && gid !== undefined) return { uid: found.uid, gid }
  return {
    problems: [
      ...(found ? [] : [unknown('user', user, 'etc/passwd', accounts.passwd)]),
      ...(group === undefined || gid !== undefined ? [] : [unknown('group', group, 'etc/group', accounts.group)]),
    ],
  }
}

function unknown(kind: string, name: number | string, file: string, text: string | undefined): string {
  const looked = text === undefined ? `the layers below have no ${file}` : `not in ${file} of the layers below`
  return `owner: unknown ${kind} "${name}" (${looked}); use a number`
}

function findUser(name: string, { passwd = '' }: Accounts): Ids | undefined {
  const [, , uid, gid] = recordOf(passwd, name) ?? (name === 'root' ? ['root', '', '0', '0'] : [])
  const ids = { uid: Number(uid ?? NaN), gid: Number(gid ?? NaN) }
  return Number.isInteger(ids.uid) && Number.isInteger(ids.gid) ? ids : undefined
}

function findGroup(name: string, { group = '' }: Accounts): number | undefined {
  const [, , gid] = recordOf(group, name) ?? (name === 'root' ? ['root', '', '0'] : [])
  const number = Number(gid ?? NaN)
  return Number.isInteger(number) ? number : undefined
}

function recordOf(text: string, name: string): readonly string[] | undefined {
  for (const line of text.split('\n')) {
    const fields = line.trim().split(':')
    if (fields[0] === name && fields.length >= 3) return fields
  }
  return undefined
}
