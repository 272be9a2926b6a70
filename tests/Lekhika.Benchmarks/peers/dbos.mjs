// DBOS: durable workflows of two steps. MODE direct starts them in this process, MODE queue through its queue, MODE latency times a queued start.
import { DBOS } from '@dbos-inc/dbos-sdk';
import { clock, jobs, pause, result, url } from './common.mjs';

const width = Number(process.env.WIDTH ?? 64);
const started = new Map();
const workflow = DBOS.registerWorkflow(async id => {
  started.set(id, clock());
  const one = await DBOS.runStep(async () => 1, { name: 'one' });
  return await DBOS.runStep(async () => one + 1, { name: 'two' });
}, { name: 'two-step' });

DBOS.setConfig({ name: 'bench', systemDatabaseUrl: url, systemDatabasePoolSize: 20, logLevel: 'error', enableOTLP: false, tracingEnabled: false, runAdminServer: false });
await DBOS.launch();
const queued = process.env.MODE !== 'direct';
if (queued) await DBOS.registerQueue('q', { workerConcurrency: 500, minPollingIntervalMs: 50 });
const start = id => DBOS.startWorkflow(workflow, queued ? { queueName: 'q' } : {})(id);
if (process.env.MODE === 'latency') {
  const times = [];
  for (let i = 0; i < Math.min(jobs, 30); i++) {
    const at = clock();
    const handle = await start(`probe-${i}`);
    await handle.getResult();
    times.push(started.get(`probe-${i}`) - at);
    await pause(20);
  }
  result({ times });
}
// Nobody's connections and code are cold.
for (let i = 0; i < 200; i += width) {
  const handles = await Promise.all(Array.from({ length: Math.min(width, 200 - i) }, (_, j) => start(`warm-${i + j}`)));
  for (const handle of handles) await handle.getResult();
}
const begun = clock();
if (queued) {
  const handles = [];
  for (let i = 0; i < jobs; i += width) {
    handles.push(...await Promise.all(Array.from({ length: Math.min(width, jobs - i) }, (_, j) => start(`j-${i + j}`))));
  }
  for (const handle of handles) await handle.getResult();
} else {
  let next = 0;
  await Promise.all(Array.from({ length: width }, async () => {
    while (next < jobs) await workflow(`j-${next++}`);
  }));
}
result({ rate: jobs / ((clock() - begun) / 1000) });
