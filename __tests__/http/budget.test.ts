import { RetryBudget } from '../../src/http/budget.ts'

test('a registry that is down for a minute does not end a run, however parallel it is', () => {
  const budget = new RetryBudget()
  for (let i = 0; i < 80; i++) expect(budget.failed(i * 750)).toBeUndefined()
})

test('a registry that fails for three minutes without one answer is given up', () => {
  const budget = new RetryBudget()
  budget.failed(0)
  expect(budget.failed(180_000)).toBeUndefined()
  expect(budget.failed(200_000)).toBe('nothing has worked there for 3 minutes')
})

test('one answer starts the three minutes anew', () => {
  const budget = new RetryBudget()
  budget.failed(0)
  budget.answered()
  expect(budget.failed(200_000)).toBeUndefined()
})

test('a registry that answers reads but fails every upload is given up after a hundred failures', () => {
  const budget = new RetryBudget()
  for (let i = 0; i < 100; i++) expect(budget.failed(0)).toBeUndefined()
  expect(budget.failed(0)).toBe('too many requests to it have failed in this run')
})

test('five answers pay for a retry', () => {
  const budget = new RetryBudget()
  for (let i = 0; i < 100; i++) budget.failed(0)
  for (let i = 0; i < 6; i++) budget.answered()
  expect(budget.failed(0)).toBeUndefined()
  expect(budget.failed(0)).toBeDefined()
})

test('a host that makes everybody wait is given up after half an hour of waiting', () => {
  const budget = new RetryBudget()
  let nowMs = 0
  let waits = 0
  while (budget.throttled(nowMs, 290_000) === undefined) {
    nowMs += 290_000
    budget.answered() // the next request is served, and the one after it has to wait
    if (++waits > 100) break
  }
  expect(waits).toBe(6)
  expect(budget.throttled(nowMs, 290_000)).toBe('it has asked to wait for 30 minutes in this run')
})

test('requests that wait at the same time wait once', () => {
  const budget = new RetryBudget()
  for (let i = 0; i < 1_000; i++) expect(budget.throttled(0, 60_000)).toBeUndefined()
  expect(budget.throttled(30_000, 60_000)).toBeUndefined()
})

test('a busy registry that serves a thousand requests between its pauses is never given up', () => {
  const budget = new RetryBudget()
  for (let minute = 0; minute < 500; minute++) {
    expect(budget.throttled(minute * 120_000, 60_000)).toBeUndefined()
    for (let i = 0; i < 1_000; i++) budget.answered()
  }
})
