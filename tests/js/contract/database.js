// PostgREST through supabase-js.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'

import { granted, refused } from './context.js'

export const database = {
  'anon is refused what is not granted': async (candidate) => {
    await refused(candidate.client().from('parcours_runs').select('*'), { code: '42501' })
  },

  'users see their own rows only': async (candidate) => {
    const ada = await candidate.signedIn()
    const eve = await candidate.signedIn()
    const id = await candidate.runOf(ada.person)
    const seen = await granted(ada.client.from('parcours_runs').select('*'))
    assert.deepEqual(seen.map((run) => run.id), [id])
    assert.deepEqual(await granted(eve.client.from('parcours_runs').select('*')), [])
  },

  'users change granted columns only': async (candidate) => {
    const { client, person } = await candidate.signedIn()
    const id = await candidate.runOf(person)
    const runs = client.from('parcours_runs')
    const [run] = await granted(runs.update({ suds_start: 7 }).eq('id', id).select('*'))
    assert.equal(run.suds_start, 7)
    await refused(runs.update({ status: 'ready' }).eq('id', id), { code: '42501' })
  },

  'the service key sees every row': async (candidate) => {
    const id = await candidate.runOf(await candidate.person())
    const found = await granted(candidate.service.from('parcours_runs').select('id').eq('id', id))
    assert.deepEqual(found, [{ id }])
  },

  'one row that is not there is an error': async (candidate) => {
    const missing = candidate.service.from('parcours_runs').select('*').eq('id', randomUUID())
    await refused(missing.single(), { code: 'PGRST116' })
  },

  'an unknown function is an error': async (candidate) => {
    await refused(candidate.service.rpc('no_such_function'), { code: 'PGRST202' })
  },

  'a function refuses in its own words': async (candidate) => {
    const unknown = { p_run_id: randomUUID() }
    const { status, error } = await candidate.service.rpc('cancel_run', unknown)
    assert.equal(status, 404)
    assert.equal(error.code, 'PT404')
  },

  'a function that is not granted is refused': async (candidate) => {
    const { client } = await candidate.signedInBefore()
    const unknown = { p_run_id: randomUUID(), p_limits_id: 0 }
    const { status, error } = await client.rpc('start_run', unknown)
    assert.equal(status, 403)
    assert.equal(error.code, '42501')
  },

  'a foreign api key is refused': async (candidate) => {
    const client = candidate.client(`${candidate.settings.anonKey.slice(0, -4)}AAAA`)
    const { status, error } = await client.from('parcours_runs').select('*')
    assert.equal(status, 401)
    assert.ok(error)
  },
}
