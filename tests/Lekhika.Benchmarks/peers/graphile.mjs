// graphile-worker. MODE drain: WORKERS processes drain JOBS. MODE latency: times of single jobs, with RATE jobs a second beside them.
// BATCHED=1 turns on everything it has for batching.
import { fork } from 'node:child_process';
import { run, runMigrations } from 'graphile-worker';
import { clock, holdSnapshot, jobs, latencies, pace, pool, rate, result, until, url } from './common.mjs';

const batched = process.env.BATCHED === '1';
const preset = {
  worker: {
    connectionString: url,
    concurrentJobs: 24,
    maxPoolSize: 12,
    pollInterval: 2000,
    ...(batched ? { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } : {}),
  },
};
const { Logger } = await import('graphile-worker');
const logger = new Logger(() => () => {});

const bulk = count => pool.query(
  `SELECT graphile_worker.add_jobs(array(SELECT json_populate_record(null::graphile_worker.job_spec, json_build_object('identifier', 'noop', 'payload', json_build_object('id', 'x'))) FROM generate_series(1, $1)))`, [count]);

const worker = () => fork(new URL(import.meta.url).pathname, { env: { ...process.env, CHILD: '1' } });

// Workers have a process to themselves, as ours has: what produces and what measures takes nothing of their time.
if (process.env.CHILD) {
  let done = 0;
  const tell = process.env.MODE === 'drain' ? async () => { done++; } : async ({ id }) => { if (id !== 'x') process.send({ id, at: clock() }); };
  const runner = await run({ preset, logger, noHandleSignals: true, taskList: { noop: tell } });
  if (process.env.MODE === 'drain') setInterval(() => process.send(done), 5);
  else process.send({ ready: true });
  process.on('message', async () => { await runner.stop(); process.exit(0); });
} else if (process.env.MODE === 'drain') {
  await runMigrations({ preset, logger });
  const counts = [];
  const children = Array.from({ length: Number(process.env.WORKERS ?? 2) }, (_, i) => {
    counts.push(0);
    const child = worker();
    child.on('message', count => { counts[i] = count; });
    return child;
  });
  await new Promise(resolve => setTimeout(resolve, 1500));
  const warm = Number(process.env.WARM ?? 0);
  await bulk(warm);
  while (counts.reduce((a, b) => a + b) < warm) await new Promise(resolve => setTimeout(resolve, 5));
  await until('SELECT NOT EXISTS (SELECT FROM graphile_worker._private_jobs)');
  const release = process.env.SNAPSHOT === '1' ? await holdSnapshot() : async () => {};
  await bulk(jobs);
  const begun = clock();
  while (counts.reduce((a, b) => a + b) < warm + jobs) await new Promise(resolve => setTimeout(resolve, 5));
  await until('SELECT NOT EXISTS (SELECT FROM graphile_worker._private_jobs)');
  const seconds = (clock() - begun) / 1000;
  await release();
  children.forEach(child => child.kill('SIGKILL'));
  result({ rate: jobs / seconds });
} else {
  await runMigrations({ preset, logger });
  const started = new Map();
  const child = worker();
  await new Promise(resolve => child.on('message', said => said.ready ? resolve() : started.set(said.id, said.at)));
  const stop = rate > 0 ? pace(bulk, rate) : async () => {};
  const times = await latencies(
    (client, id) => client.query(`SELECT graphile_worker.add_job('noop', json_build_object('id', $1::text))`, [id]), started, jobs);
  await stop();
  child.kill('SIGKILL');
  result({ times });
}
