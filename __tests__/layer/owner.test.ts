import { parseOwner, resolveOwner } from '../../src/layer/owner.ts'

const accounts = {
  passwd: 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\r\nbroken\nodd:x:a:b\n',
  group: 'root:x:0:\nwww-data:x:33:app\n',
}
const nothing = { passwd: undefined, group: undefined }

test.each([
  ['1000', accounts, { uid: 1000, gid: 1000 }],
  ['1000:0', accounts, { uid: 1000, gid: 0 }],
  ['app', accounts, { uid: 1000, gid: 1001 }],
  ['app:www-data', accounts, { uid: 1000, gid: 33 }],
  ['app:7', accounts, { uid: 1000, gid: 7 }],
  ['7:www-data', accounts, { uid: 7, gid: 33 }],
  ['root', nothing, { uid: 0, gid: 0 }],
  ['root:root', nothing, { uid: 0, gid: 0 }],
])('gives files to %s', (text, known, expected) => {
  const owner = parseOwner(text)
  expect(owner && resolveOwner(owner, known)).toEqual(expected)
})

test.each([
  ['nobody', accounts, ['owner: unknown user "nobody" (not in etc/passwd of the layers below); use a number']],
  ['odd', accounts, ['owner: unknown user "odd" (not in etc/passwd of the layers below); use a number']],
  ['app', nothing, ['owner: unknown user "app" (the layers below have no etc/passwd); use a number']],
  ['app:staff', accounts, ['owner: unknown group "staff" (not in etc/group of the layers below); use a number']],
  [
    'a:b',
    nothing,
    [
      'owner: unknown user "a" (the layers below have no etc/passwd); use a number',
      'owner: unknown group "b" (the layers below have no etc/group); use a number',
    ],
  ],
])('never gives files of %s to root in silence', (text, known, problems) => {
  const owner = parseOwner(text)
  expect(owner && resolveOwner(owner, known)).toEqual({ problems })
})

test.each(['', ':', 'a:', ':1', '1:2:3', '-1', '1.5', 'a b', '99999999999'])('refuses %j as an owner', text => {
  expect(parseOwner(text)).toBeUndefined()
})
