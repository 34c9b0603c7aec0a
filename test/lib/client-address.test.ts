import { expect, test } from 'bun:test'
import { clientAddress, isNetwork } from '#lib/client-address'
import { readEnv } from '#lib/env'

const peer = '10.0.0.1'
const behind = clientAddress(['10.0.0.0/8', '192.168.1.7', 'fd00::/8'])
const seen = (headers: Record<string, string>, from = peer, of = behind) => of(from, new Headers(headers))
const xff = (list: string, from?: string) => seen({ 'x-forwarded-for': list }, from)
const forwarded = (list: string) => seen({ forwarded: list })

test('without proxies that are known, nobody’s word is taken', () => {
  const plain = clientAddress([])
  expect(seen({ 'x-forwarded-for': '1.1.1.1', forwarded: 'for=1.1.1.1' }, peer, plain)).toBe(peer)
  expect(plain(null, new Headers())).toBeNull()
})

test('a peer that is no proxy of ours is itself, whatever it says', () => {
  expect(xff('1.1.1.1', '203.0.113.5')).toBe('203.0.113.5')
  expect(xff('1.1.1.1', '11.0.0.1')).toBe('11.0.0.1')
  expect(xff('1.1.1.1', '192.168.1.8')).toBe('192.168.1.8')
})

test('what counts is the right-most address that is none of the proxies’', () => {
  expect(xff('203.0.113.5')).toBe('203.0.113.5')
  expect(xff('1.1.1.1, 203.0.113.5')).toBe('203.0.113.5')
  expect(xff('1.1.1.1, 203.0.113.5, 192.168.1.7,10.9.9.9')).toBe('203.0.113.5')
  expect(xff('1.1.1.1', '::ffff:10.0.0.1')).toBe('1.1.1.1')
  expect(xff('::ffff:203.0.113.5')).toBe('203.0.113.5')
  expect(xff('203.0.113.5:4711')).toBe('203.0.113.5')
  expect(xff('[2001:DB8::5]:4711, fd00::1')).toBe('2001:db8::5')
  expect(xff('10.2.2.2, 10.3.3.3')).toBe('10.2.2.2')
})

test('where the chain is no more than words, the last hop that is known is what counts', () => {
  for (const list of ['', 'unknown', '1.1.1.1, x', '1.1.1.1, 999.1.1.1', '1.1.1.1,', '1.1.1.1, <script>'])
    expect([list, xff(list)]).toEqual([list, peer])
  expect(xff('1.1.1.1, _hidden, 10.9.9.9')).toBe('10.9.9.9')
  expect(xff(`${'1.1.1.1, '.repeat(5_000)}${'10.1.1.1,'.repeat(40)}10.1.1.2`)).toBe('10.1.1.1')
})

test('Forwarded says the same in its own way', () => {
  expect(forwarded('for=203.0.113.5;proto=https;by=10.0.0.1')).toBe('203.0.113.5')
  expect(forwarded('for=1.1.1.1, proto=https; FOR="203.0.113.5:80"')).toBe('203.0.113.5')
  expect(forwarded('for="[2001:db8::5]:4711"')).toBe('2001:db8::5')
  expect(forwarded('for=1.1.1.1, proto=https')).toBe(peer)
  expect(forwarded('for=1.1.1.1, for=unknown')).toBe(peer)
})

test('of two headers that differ, one was made up', () => {
  expect(seen({ 'x-forwarded-for': '203.0.113.5', forwarded: 'for=1.1.1.1' })).toBe(peer)
  expect(seen({ 'x-forwarded-for': '9.9.9.9, 203.0.113.5', forwarded: 'for=203.0.113.5' })).toBe(
    '203.0.113.5',
  )
})

test('only addresses and networks are taken, and not all there are', () => {
  for (const good of ['10.0.0.1', '10.0.0.0/8', '::1', 'fd00::/8', '192.168.1.7/32', '::1/128'])
    expect([good, isNetwork(good)]).toEqual([good, true])
  for (const bad of [
    '',
    'proxy',
    '10.0.0.0/0',
    '::/0',
    '10.0.0.0/33',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    '10.0.0/8',
    '*',
  ])
    expect([bad, isNetwork(bad)]).toEqual([bad, false])
  expect(readEnv({ TRUSTED_PROXIES: '10.0.0.0/8, ::1' }).TRUSTED_PROXIES).toEqual(['10.0.0.0/8', '::1'])
  expect(() => readEnv({ TRUSTED_PROXIES: '10.0.0.0/8,all' })).toThrow(
    'TRUSTED_PROXIES="10.0.0.0/8,all": must be',
  )
})
