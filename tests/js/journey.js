// One journey with supabase-js, as a frontend has it. Prints what it saw as JSON.

import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'

const require = createRequire(`${process.env.NODE_MODULES_HOME}/package.json`)
const { createClient } = require('@supabase/supabase-js')

const LOOK_MS = 200
const LOOKS_MAX = 300

const newClient = () =>
  createClient(process.env.SUPABASE_URL, process.env.SUPABASE_ANON_KEY, {
    auth: { persistSession: false, autoRefreshToken: false },
  })

const newPerson = () => ({ email: `${randomUUID()}@example.com`, password: randomUUID() })

async function newUser() {
  const client = newClient()
  given(await client.auth.signUp(newPerson()))
  return client
}

function given({ data, error }) {
  if (error) throw error
  return data
}

async function refusal(client, segmentId) {
  const { error } = await client.functions.invoke('sign-track', { body: { segmentId } })
  return error?.context?.status
}

async function waitUntilReady(client, runId) {
  for (let looks = 0; looks < LOOKS_MAX; looks++) {
    const run = given(await client.from('parcours_runs').select('*').eq('id', runId).single())
    if (run.status !== 'creating') return run
    await new Promise((resume) => setTimeout(resume, LOOK_MS))
  }
  throw new Error('the run was never ready')
}

async function fetchTrack(client, segment) {
  const body = { segmentId: segment.id }
  const { url } = given(await client.functions.invoke('sign-track', { body }))
  const part = await fetch(url, { headers: { range: 'bytes=0-1023' } })
  const bytes = (await part.arrayBuffer()).byteLength
  return { status: part.status, type: part.headers.get('content-type'), bytes }
}

const owner = await newUser()
const create = given(
  await owner.functions.invoke('parcours-xl-create', {
    body: { presetKey: '01-panique-anxiete', emotionState: { emotion: 'fear', intensity: 0.8 } },
    headers: { 'Idempotency-Key': randomUUID() },
  }),
)
const { runId } = create
const runner = given(await owner.functions.invoke('parcours-xl-runner', { body: { runId } }))
const run = await waitUntilReady(owner, runId)
const segments = given(
  await owner.from('parcours_segments').select('*').eq('run_id', runId).order('segment_index'),
)
const tracks = await Promise.all(segments.map((segment) => fetchTrack(owner, segment)))

const runs = () => owner.from('parcours_runs')
const suds = given(
  await runs().update({ suds_start: 8 }).eq('id', runId).select('suds_start').single(),
)
const { error: refusedUpdate } = await runs().update({ status: 'failed' }).eq('id', runId)

const stranger = await newUser()
const seen = given(await stranger.from('parcours_segments').select('*').eq('run_id', runId))

console.log(
  JSON.stringify({
    create,
    runner,
    run,
    segments,
    tracks,
    suds,
    refusedUpdate,
    stranger: { status: await refusal(stranger, segments[0].id), rows: seen.length },
    anonymous: { status: await refusal(newClient(), segments[0].id) },
  }),
)
