// Drives the double at the address given as the first argument and prints what it got, one JSON object.
import { Ollama } from 'ollama'

const ollama = new Ollama({ host: process.argv[2] })
const question = { model: 'llama3.2', messages: [{ role: 'user', content: 'Why is the sky blue?' }] }
const got = {}

const chat = await ollama.chat({ ...question, stream: false })
got.chat = { text: chat.message.content, done: chat.done, reason: chat.done_reason, tokens: chat.eval_count }

got.stream = { text: '', parts: 0, done: false }
for await (const part of await ollama.chat({ ...question, stream: true })) {
  got.stream.text += part.message.content
  got.stream.parts++
  got.stream.done = part.done
}

const generated = await ollama.generate({ model: 'mistral:7b', prompt: 'A story', format: 'json', options: { num_predict: 400 } })
got.generate = { json: JSON.parse(generated.response), context: Array.isArray(generated.context) }

const schema = { type: 'object', properties: { colour: { enum: ['blue'] } }, required: ['colour'] }
got.schema = JSON.parse((await ollama.chat({ ...question, format: schema })).message.content)

got.list = (await ollama.list()).models.map(model => model.name)
got.running = (await ollama.ps()).models.map(model => model.name)
got.show = (await ollama.show({ model: 'llama3.2' })).capabilities
got.pulled = []
for await (const step of await ollama.pull({ model: 'new-model', stream: true })) got.pulled.push(step.status)
got.embeddings = (await ollama.embed({ model: 'nomic-embed-text', input: ['a', 'b'] })).embeddings.length

got.errors = {}
for (const [name, ask] of Object.entries({
  missing: () => ollama.chat({ ...question, model: 'nope' }),
  busy: () => ollama.chat({ ...question, model: 'fault-503' }),
  midstream: async () => { for await (const _ of await ollama.chat({ ...question, model: 'fault-midstream-error', stream: true })); },
  eof: async () => { for await (const _ of await ollama.chat({ ...question, model: 'fault-eof', stream: true })); },
})) {
  try {
    await ask()
    got.errors[name] = null
  } catch (error) {
    got.errors[name] = { status: error.status_code ?? null, message: error.message }
  }
}

const stopped = await ollama.chat({ ...question, model: 'double-t100000-s50', stream: true })
setTimeout(() => stopped.abort(), 100)
try {
  for await (const _ of stopped);
  got.abort = null
} catch (error) {
  got.abort = error.name
}

console.log(JSON.stringify(got))
