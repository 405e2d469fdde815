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
