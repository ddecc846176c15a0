// supabase-js runs the contract tests of tests/contract/behaviours.py: one line of JSON a behaviour.

import { auth } from './auth.js'
import { database } from './database.js'
import { storage } from './storage.js'
import { withCandidate, Skipped } from './context.js'

async function show(behaviour, demonstrate, candidate) {
  try {
    await demonstrate(candidate)
    return { behaviour, outcome: 'passed', detail: '' }
  } catch (error) {
    const outcome = error instanceof Skipped ? 'skipped' : 'failed'
    return { behaviour, outcome, detail: outcome === 'failed' ? error.stack : error.message }
  }
}

await withCandidate(JSON.parse(process.env.CONTRACT), async (candidate) => {
  for (const [behaviour, demonstrate] of Object.entries({ ...auth, ...database, ...storage })) {
    console.log(JSON.stringify(await show(behaviour, demonstrate, candidate)))
  }
})
