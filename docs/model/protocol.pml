/* protocol.pml: the life of one execution under two daemons, against every fault that has a budget.
 *
 * Workflow:  d (pure decision, e.g. "now")  ->  s1 (effect, one retry)  ->  gate (wait for a signal)  ->  s2 (effect)  ->  completed
 *
 * Every atomic block that touches the database is one committed transaction of the functions in src/Lekhika.Postgres/Migrations; README.md says
 * which block is which function. Every action changes the state and all faults have budgets, so each maximal path ends in quiescence: what must
 * happen in the end is checked there by `timeout` (process Monitor), and a livelock runs the epoch over its bound (assert in CHK).
 *
 * A daemon that is stopped or slow: the interleaving itself, plus EXPIRES (its lease lapses while it lives). A database that is away: ERRS (the reply
 * is lost after the commit; a try that never commits is the interleaving where nothing has run yet), ZOMBIES (a claim that is still running in the
 * server when its client has gone), TERMS (told to stop with a result that could not be written, which goes to the spool).
 *
 * Switches: FIX_x a rule (cases without it must give a counterexample), MUT_x a mutant, ALT_x another way to build it.
 */
#ifndef KILLS
#define KILLS 1
#endif
#ifndef TERMS
#define TERMS 0      /* SIGTERM with the database away: result spooled */
#endif
#ifndef EXPIRES
#define EXPIRES 1
#endif
#ifndef ERRS
#define ERRS 0
#endif
#ifndef ZOMBIES
#define ZOMBIES 0
#endif
#ifndef CANCELS
#define CANCELS 0
#endif
#ifndef PAUSES
#define PAUSES 0
#endif
#ifndef NEWRUNS
#define NEWRUNS 0
#endif
#ifndef EVENTS
#define EVENTS 1
#endif
#ifndef FAILS
#define FAILS 1      /* failed attempts of s1 (one retry) */
#endif
#ifndef NRES
#define NRES 9       /* crash_loop bound: more rescues than this fail the execution */
#endif
#define MAXI (2+KILLS+TERMS+EXPIRES+1)      /* incarnations; at most 7 */
#define NI 8
#define MAXEP 24

/* ---- statuses, reasons, worker states, daemon phases ---- */
#define PEND 1
#define RUN_ 2
#define WAIT 3
#define PAUSED 4
#define DONE 5
#define FAILED 6
#define CANC 7
#define TERM (status>=DONE)
#define W_RETRY 1
#define W_EVENT 2
#define W_PAUSE 3
#define LIVE 1
#define EXP 2
#define RVK 3
/* phase m[d]: */
#define IDLE 0      /* nothing loaded */
#define HAVE 1      /* loaded, deciding */
#define S1 2        /* s1 in flight */
#define R1 3        /* s1 outcome in memory, not committed */
#define S2 4
#define R2 5
#define LOOK 6      /* parked, must look again in a new statement */
#define F1 7        /* s1 attempt failed, not committed */
#define TOPARK 8    /* saw no event, is about to park */
#define TOPAUSE 10  /* saw 'paused', is about to park */
#define INS1 9      /* MUT_NOUNIQ: late offer between its check and its insert */

/* ---- database ---- */
byte status=PEND, rn=0, xEp=0;
bool rdy=1, prk=0, nplace=0;
byte rEp=0, hld=0, hEp=0, hRun=0, pEp=0, pRun=0, pwhy=0, resc=0;
bool ppau=0, cmd=0;          /* parked.paused; a row in commands (pause, resume, cancel) */
byte wk[NI];
byte dec[2], out1[2], b1[2], n1[2], att[2], gate[2], out2[2], b2[2], result;
byte ev[2], evRun[2]; /* 1 = committed (acknowledged); the run it was sent to */
bool evh[2];        /* hint/edge for the matcher (NOSWEEP) */
bool rsh;           /* resume hint (NOSWEEP) */
byte cancelled=0;   /* 1+run of an acknowledged cancel */
/* ---- daemons ---- */
bool al[2]; byte inc[2], boot[2], m[2], mEp[2], mRun[2], mDec[2], mK1[2], mGate[2], mK2[2];
byte gk[2], gEp[2], gRun[2];                /* retry of a park (1) or completion (2) whose reply was lost */
byte sp[2], spRun[2], spDec[2], spGate[2], spInc[2];  /* spool on disk */
byte ninc=0; bool zc[NI];
bool gone[NI];                          /* process of this incarnation is gone (physical fact) */
byte nkill=0, nterm=0, nexp=0, nerr=0, nzom=0, ncan=0, npau=0, nnew=0, nev=0, nfail=0;

#define AVAIL(k) (ev[k]==1 && (evRun[k]==rn || NORUN) && gate[0]!=(k)+1 && gate[1]!=(k)+1)   /* there, of this run, not consumed */
#define ANYEV (AVAIL(0)||AVAIL(1))
#define PLACES (rdy+prk+(hld>0))
#define LIVEROW (!TERM)
#ifdef FIX_RUN
#define NORUN 0
#else
#define NORUN 1
#endif
#ifdef MUT_NOFENCE          /* flush/park by exec only */
#define MINE(d) (hld!=0)
#else
#define MINE(d) (hld==inc[d] && hEp==mEp[d] && (hRun==mRun[d] || NORUN))
#endif
#define REALLYMINE(d) (hld==inc[d] && hEp==mEp[d] && (hRun==mRun[d] || NORUN))
#ifdef MUT_NOEPOCH          /* fence on inc only */
#define GMINE(d) (hld==inc[d])
#else
#define GMINE(d) (hld==inc[d] && hEp==gEp[d] && (hRun==gRun[d] || NORUN))
#endif
/* Epochs begin anew with a run; the fence proves the run as well. ALT_EPOCHGROWS: they go on. */
#ifdef ALT_EPOCHGROWS
#define NEWEPOCH(e) (e)
#else
#define NEWEPOCH(e) 0
#endif
#ifdef MUT_NOGUARD
#define GUARD 1
#else
#define GUARD (!TERM)
#endif
#ifdef FIX_RUN              /* every write proves the run; the trigger itself bumps it */
#define RUNOK(r) (rn==(r))
#else
#define RUNOK(r) 1
#endif
#ifdef FIX_CLAIMFENCE       /* claim proves NOT revoked under a lock of its workers row */
#define MAYCLAIM(i) (wk[i]!=RVK)
#else
#define MAYCLAIM(i) 1
#endif
#ifdef FIX_ATOMIC           /* an execution's records of one append are all or nothing, decisions included */
#define DECOK(d) (dec[mRun[d]]==0 || dec[mRun[d]]==mDec[d])
#define GATEOK(d) (gate[mRun[d]]==0 || gate[mRun[d]]==mGate[d])
#define SPDECOK(d) (dec[rn]==0 || dec[rn]==spDec[d])
#define SPGATEOK(d) (gate[rn]==0 || gate[rn]==spGate[d])
#else
#define DECOK(d) 1
#define GATEOK(d) 1
#define SPDECOK(d) 1
#define SPGATEOK(d) 1
#endif

#ifdef ALT_STATUSGUARD      /* status writes guarded on "not terminal" only */
#define WAITFROM (!TERM && status!=WAIT)
#else
#define WAITFROM (status==PEND || status==RUN_)
#endif
inline CHK() {   /* invariants after every committed transaction */
  assert(PLACES<=1);                                             /* S4 no double place */
  assert(TERM || nplace || PLACES==1);                          /* S4 not lost */
  assert(n1[0]<=1 && n1[1]<=1);                                  /* S1 */
  assert(out1[0]==0 || b1[0]==dec[0]); assert(out1[1]==0 || b1[1]==dec[1]);      /* S3: outcome rests on the recorded decision */
  assert(out2[0]==0 || b2[0]==gate[0]); assert(out2[1]==0 || b2[1]==gate[1]);
  assert(out2[0]==0 || out1[0]!=0); assert(out2[1]==0 || out1[1]!=0);            /* S3 */
  assert(gate[0]==0 || gate[0]!=gate[1]);                        /* S6 at most once */
  assert(status!=DONE || result==out2[rn]);                     /* the result shown is the one recorded */
  assert(!(status==DONE && cancelled==rn+1));                   /* S7 */
  assert(hEp<MAXEP && rEp<MAXEP)                                 /* no livelock */
}
inline load(d) { mRun[d]=rn; mDec[d]=dec[rn]; mK1[d]=out1[rn]; mGate[d]=gate[rn]; mK2[d]=out2[rn]; m[d]=HAVE }
inline reload(d) { mDec[d]=dec[mRun[d]]; mK1[d]=out1[mRun[d]]; mGate[d]=gate[mRun[d]]; mK2[d]=out2[mRun[d]]; m[d]=HAVE }
inline wipe(d) { m[d]=IDLE; mEp[d]=0; mRun[d]=0; mDec[d]=0; mK1[d]=0; mGate[d]=0; mK2[d]=0 }
inline daemonStatus(s) { assert(!TERM); /* S2 */ assert(status!=PAUSED || s>=DONE); /* an acknowledged pause is not written over */ status=s }
inline dropHeld() { xEp=hEp; hld=0; hEp=0; hRun=0 }
inline toReady(e) { assert(!rdy); rdy=1; rEp=e }
inline park(w) { prk=1; pEp=hEp; pRun=hRun; pwhy=w; ppau=(status==PAUSED); hld=0; hEp=0; hRun=0;
  if :: w!=W_PAUSE && WAITFROM -> daemonStatus(WAIT) :: else fi }
inline wake() { prk=0; toReady(pEp); pEp=0; pRun=0; ppau=0 }

/* a write refused because the row is terminal or in another run is itself the notice: give the claim back */
#ifdef ALT_NORELEASE        /* the flush deletes held rows of non-terminal executions only, and nothing else does */
inline release(d) { if :: TERM -> wipe(d) :: else -> dropHeld(); wipe(d); toReady(NEWEPOCH(xEp)); resc=0 fi }
#else
inline release(d) { dropHeld(); wipe(d); if :: !TERM -> toReady(NEWEPOCH(xEp)); resc=0 :: else fi }
#endif
/* outcome of s1, in order: own claim, or late rule */
inline append1(d) {
  if
  :: MINE(d) && RUNOK(mRun[d]) && true ->
     if
     :: out1[mRun[d]]==0 && DECOK(d) ->
        if :: dec[mRun[d]]==0 -> dec[mRun[d]]=mDec[d] :: else fi;
        assert(REALLYMINE(d));                                  /* S5 */
        out1[mRun[d]]=inc[d]; b1[mRun[d]]=mDec[d]; n1[mRun[d]]++; resc=0;   /* progress: rescues are forgotten */
        mK1[d]=inc[d]; m[d]=HAVE
     :: else -> reload(d)                                       /* Conflict(stored): adopt */
     fi
  :: MINE(d) && !RUNOK(mRun[d]) -> release(d)
  :: else ->                                                    /* fenced out: late rule */
     if
#ifdef MUT_NOUNIQ
     :: !TERM && rn==mRun[d] && out1[rn]==0 -> m[d]=INS1
#else
     :: !TERM && rn==mRun[d] && out1[rn]==0 && DECOK(d) ->
        if :: dec[rn]==0 -> dec[rn]=mDec[d] :: else fi;
        out1[rn]=inc[d]; b1[rn]=mDec[d]; n1[rn]++; if :: prk && pwhy==W_RETRY && !ppau -> wake() :: else fi; wipe(d)
#endif
     :: else -> wipe(d)
     fi
  fi; CHK() }

/* completion: gate record + s2 outcome + status + held, one statement */
inline complete(d) {
  if
  :: MINE(d) && GUARD && RUNOK(mRun[d]) ->
     if
#ifdef FIX_CONFLICT         /* held is deleted only if every step of the item was inserted */
     :: (m[d]==R2 && (out2[mRun[d]]!=0 || !GATEOK(d))) -> reload(d)
     :: else ->
#else
     :: true ->
#endif
        assert(REALLYMINE(d));                                  /* S5 */
        assert(mRun[d]==rn);                                   /* S7: the run that is completed is the one that ran */
        if
        :: m[d]==R2 && out2[mRun[d]]==0 ->
             if :: gate[mRun[d]]==0 -> gate[mRun[d]]=mGate[d] :: else fi;
             out2[mRun[d]]=inc[d]; b2[mRun[d]]=mGate[d]
        :: else
        fi;
        if :: m[d]==R2 -> result=inc[d] :: else -> result=mK2[d] fi;
        dropHeld(); daemonStatus(DONE); wipe(d)
     fi
  :: MINE(d) && !(GUARD && RUNOK(mRun[d])) -> release(d)
  :: !MINE(d) && m[d]==R2 && !TERM && rn==mRun[d] && out2[rn]==0 && GATEOK(d) ->   /* late rule */
     if :: gate[rn]==0 -> gate[rn]=mGate[d] :: else fi;
     out2[rn]=inc[d]; b2[rn]=mGate[d]; wipe(d)
  :: else -> wipe(d)
  fi; CHK() }

#ifndef ALT_TAKEALL          /* the rescue takes held rows SKIP LOCKED: one may be passed over */
#define MOVE(i) if :: hld==i && nskip==0 -> nskip=1 :: hld==i -> toReady(hEp); resc++; hld=0; hEp=0; hRun=0 :: hld!=i -> skip fi
byte nskip=0;
#else
#define MOVE(i) if :: hld==i -> toReady(hEp); resc++; hld=0; hEp=0; hRun=0 :: else fi
#endif
#ifdef MUT_NOREVOKE
#define RESCUE(i) :: atomic { al[d] && boot[d]==0 && wk[inc[d]]==LIVE && wk[i]==EXP && hld==i -> MOVE(i); CHK() }
#else
#ifdef FIX_RESWEEP          /* also what a revoked incarnation still holds */
#define RESCUE(i) :: atomic { al[d] && wk[inc[d]]==LIVE && (wk[i]==EXP || (wk[i]==RVK && hld==i)) -> wk[i]=RVK; MOVE(i); CHK() }
#else
#define RESCUE(i) :: atomic { al[d] && boot[d]==0 && wk[inc[d]]==LIVE && wk[i]==EXP -> wk[i]=RVK; MOVE(i); CHK() }
#endif
#endif

#ifdef NORESTART            /* a killed daemon's host never comes back */
#define MAYRESTART 0
#else
#define MAYRESTART 1
#endif
proctype Daemon(byte d) {
  end: do
  /* ---- start: new incarnation; take over; spool; run ---- */
  :: atomic { MAYRESTART && !al[d] && ninc<MAXI -> al[d]=1; wipe(d); gk[d]=0; boot[d]=1 }
  :: atomic { al[d] && boot[d]==1 ->                        /* take_over: evict the incarnation of the life before */
       wk[inc[d]]=RVK; boot[d]=2; if :: hld==inc[d] -> toReady(hEp); resc++; hld=0; hEp=0; hRun=0 :: else fi; CHK() }
  :: atomic { al[d] && boot[d]==3 && ninc<MAXI -> ninc++; inc[d]=ninc; wk[ninc]=LIVE; boot[d]=0 }
  :: atomic { al[d] && boot[d]==2 ->                        /* spool: offered as late results */
       if
       :: sp[d]==1 && !TERM && rn==spRun[d] && out1[rn]==0 && SPDECOK(d) ->
          if :: dec[rn]==0 -> dec[rn]=spDec[d] :: else fi; out1[rn]=spInc[d]; b1[rn]=spDec[d]; n1[rn]++
       :: sp[d]==2 && !TERM && rn==spRun[d] && out2[rn]==0 && SPGATEOK(d) ->
          if :: gate[rn]==0 -> gate[rn]=spGate[d] :: else fi; out2[rn]=spInc[d]; b2[rn]=spGate[d]
       :: else                                              /* refused: spool/rejected */
       fi;
       sp[d]=0; spRun[d]=0; spDec[d]=0; spGate[d]=0; spInc[d]=0; boot[d]=3; CHK() }

  /* ---- claim ---- */
  :: atomic { al[d] && boot[d]==0 && m[d]==IDLE && rdy && MAYCLAIM(inc[d]) && !zc[inc[d]] ->
       if
       :: rdy=0; hld=inc[d]; hEp=rEp+1; hRun=rn; rEp=0; load(d); mEp[d]=hEp         /* a finished one is handed out too: its owner gives it back */
       :: nerr<ERRS -> nerr++; rdy=0; hld=inc[d]; hEp=rEp+1; hRun=rn; rEp=0           /* committed, reply lost */
       :: !TERM && nzom<ZOMBIES -> nzom++; zc[inc[d]]=1                              /* still running in the server */
       fi; CHK() }
  /* S10: another slot of the same incarnation would be handed an execution this one still works on */
#ifndef NO_S10
  :: atomic { al[d] && boot[d]==0 && (m[d]==S1||m[d]==S2||m[d]==R1||m[d]==R2||m[d]==HAVE) && rdy && !TERM && MAYCLAIM(inc[d])
       -> assert(0) }
#endif
#ifdef FIX_RECON            /* each sweep: held rows of mine that are not in memory are adopted */
  :: atomic { al[d] && boot[d]==0 && m[d]==IDLE && hld==inc[d] && wk[inc[d]]!=RVK -> load(d); mEp[d]=hEp; mRun[d]=hRun; reload(d); CHK() }
#endif
  /* ---- crash loop ---- */
  :: atomic { al[d] && boot[d]==0 && m[d]==HAVE && REALLYMINE(d) && resc>NRES && !TERM && RUNOK(mRun[d]) ->
       dropHeld(); daemonStatus(FAILED); wipe(d); CHK() }
  /* ---- work ---- */
  :: atomic { al[d] && boot[d]==0 && m[d]==HAVE && mK1[d]==0 && mK2[d]==0 && resc<=NRES -> /* start s1 (what was paused or ended meanwhile is found out by the poll or the write) */
       if :: mDec[d]==0 -> mDec[d]=inc[d] :: else fi; m[d]=S1 }
  :: atomic { al[d] && m[d]==S1 && REALLYMINE(d) && status==PEND -> daemonStatus(RUN_); CHK() }  /* lived a second; only from pending */
  :: atomic { al[d] && m[d]==S1 -> m[d]=R1 }
  :: atomic { al[d] && m[d]==S1 && nfail<FAILS && att[mRun[d]]==0 -> nfail++; m[d]=F1 }
  :: atomic { al[d] && m[d]==R1 -> append1(d) }
  :: atomic { al[d] && m[d]==R1 && nerr<ERRS && REALLYMINE(d) && RUNOK(mRun[d]) && out1[mRun[d]]==0 && DECOK(d) ->  /* committed, reply lost: retried */
       nerr++; append1(d); m[d]=R1; mK1[d]=0 }
#ifdef MUT_NOUNIQ
  :: atomic { al[d] && m[d]==INS1 -> if :: dec[mRun[d]]==0 -> dec[mRun[d]]=mDec[d] :: else fi;
       if :: out1[mRun[d]]==0 -> out1[mRun[d]]=inc[d]; b1[mRun[d]]=mDec[d] :: else fi; n1[mRun[d]]++; wipe(d); CHK() }
#endif
  :: atomic { al[d] && m[d]==F1 ->                          /* failed attempt + park for the retry */
       if
       :: MINE(d) && RUNOK(mRun[d]) && !TERM ->
          if
          :: out1[mRun[d]]!=0 || !DECOK(d) -> reload(d)      /* a late success is stored: adopt */
          :: else -> if :: dec[mRun[d]]==0 -> dec[mRun[d]]=mDec[d] :: else fi;
                     att[mRun[d]]=1; assert(REALLYMINE(d)); park(W_RETRY); wipe(d)
          fi
       :: MINE(d) && !(RUNOK(mRun[d]) && !TERM) -> release(d)
       :: else -> wipe(d)
       fi; CHK() }
  :: atomic { al[d] && boot[d]==0 && m[d]==HAVE && mK1[d]!=0 && mK2[d]==0 && mGate[d]==0 ->   /* at the gate: poll events */
       if :: AVAIL(0) -> mGate[d]=1 :: AVAIL(1) -> mGate[d]=2 :: !ANYEV -> m[d]=TOPARK fi }
  :: atomic { al[d] && m[d]==TOPARK ->
       if
       :: MINE(d) && RUNOK(mRun[d]) && !TERM -> assert(REALLYMINE(d)); park(W_EVENT); wipe(d);
          if
          :: m[d]=LOOK
          :: nerr<ERRS -> nerr++; gk[d]=1; gEp[d]=pEp; gRun[d]=rn       /* committed, reply lost: will be retried */
          fi
       :: MINE(d) && !(RUNOK(mRun[d]) && !TERM) -> release(d)
       :: else -> wipe(d)
       fi; CHK() }
  :: atomic { al[d] && m[d]==LOOK ->                        /* look again, new statement */
#ifndef MUT_NORECHECK
       if :: prk && !ppau && pRun==rn && pwhy==W_EVENT && ANYEV -> wake() :: else fi;
#endif
       wipe(d); CHK() }
  :: atomic { al[d] && boot[d]==0 && m[d]==HAVE && mK1[d]!=0 && mGate[d]!=0 && mK2[d]==0 ->   /* start s2 */
       assert(out1[mRun[d]]==mK1[d]);                        /* S3 */
       m[d]=S2 }
  :: atomic { al[d] && m[d]==S2 -> m[d]=R2 }
  :: atomic { al[d] && (m[d]==R2 || (m[d]==HAVE && boot[d]==0 && mK2[d]!=0)) -> complete(d) }
  :: atomic { al[d] && m[d]==R2 && nerr<ERRS && REALLYMINE(d) && !TERM && RUNOK(mRun[d]) && out2[mRun[d]]==0 && GATEOK(d) ->
       nerr++; gk[d]=2; gEp[d]=mEp[d]; gRun[d]=mRun[d]; complete(d) }
  /* ---- retry of a statement whose reply was lost ---- */
  :: atomic { al[d] && gk[d]==1 ->
       if :: GMINE(d) && !TERM && RUNOK(gRun[d]) -> assert(hEp==gEp[d]); park(W_EVENT) :: else fi; gk[d]=0; gEp[d]=0; gRun[d]=0; CHK() }
  :: atomic { al[d] && gk[d]==2 ->
       if :: GMINE(d) && !TERM && RUNOK(gRun[d]) -> assert(gRun[d]==rn); result=out2[gRun[d]]; dropHeld(); daemonStatus(DONE) :: else fi;
       gk[d]=0; gEp[d]=0; gRun[d]=0; CHK() }
  /* ---- owner's poll of commands (level: what the row says now) ---- */
  :: atomic { al[d] && boot[d]==0 && (m[d]==HAVE||m[d]==S1||m[d]==S2) && REALLYMINE(d) && (TERM || !(RUNOK(mRun[d]))) ->
       release(d); CHK() }
  :: atomic { al[d] && boot[d]==0 && m[d]==HAVE && REALLYMINE(d) && status==PAUSED && RUNOK(mRun[d]) -> m[d]=TOPAUSE }
  :: atomic { al[d] && m[d]==TOPAUSE ->                     /* the row may say something else by now */
       if
       :: MINE(d) && RUNOK(mRun[d]) && !TERM && status!=PAUSED -> m[d]=HAVE                    /* verdict "resumed": nothing written */
       :: MINE(d) && RUNOK(mRun[d]) && status==PAUSED -> assert(REALLYMINE(d)); park(W_PAUSE); wipe(d)
       :: MINE(d) && !(RUNOK(mRun[d]) && !TERM) -> release(d)
       :: else -> wipe(d)
       fi; CHK() }
  /* ---- lease ---- */
  :: atomic { al[d] && boot[d]==0 && wk[inc[d]]==EXP -> wk[inc[d]]=LIVE }                                   /* late heartbeat */
  :: atomic { al[d] && boot[d]==0 && wk[inc[d]]==RVK && m[d]!=R1 && m[d]!=R2 && m[d]!=INS1 && ninc<MAXI -> /* revocation known: abort, new incarnation */
       wipe(d); gk[d]=0; gone[inc[d]]=1; boot[d]=1 }
  /* ---- rescue ---- */
  RESCUE(1) RESCUE(2) RESCUE(3)
#if MAXI>=4
  RESCUE(4)
#endif
#if MAXI>=5
  RESCUE(5)
#endif
#if MAXI>=6
  RESCUE(6)
#endif
#if MAXI>=7
  RESCUE(7)
#endif
  od
}

proctype Matcher() {                        /* any daemon's; hinted, and (unless NOSWEEP) a full-join sweep */
  end: do
  /* obey: the row says what is meant, the command only that somebody changed it */
  :: atomic { cmd -> cmd=0;
       if
       :: prk && TERM -> xEp=pEp; prk=0; pEp=0; pRun=0; ppau=0
       :: prk && !TERM -> ppau=(status==PAUSED); if :: !ppau && (pwhy==W_PAUSE || pRun!=rn) -> wake() :: else fi
       :: else
       fi; CHK() }
  :: atomic { prk && !ppau && pwhy==W_RETRY -> wake(); CHK() }
#ifdef NOSWEEP
  :: atomic { evh[0] -> evh[0]=0; if :: prk && !ppau && pwhy==W_EVENT && AVAIL(0) -> wake() :: else fi; CHK() }
  :: atomic { evh[1] -> evh[1]=0; if :: prk && !ppau && pwhy==W_EVENT && AVAIL(1) -> wake() :: else fi; CHK() }
  :: atomic { rsh -> rsh=0; if :: prk && !ppau && pwhy==W_EVENT && ANYEV -> wake() :: else fi; CHK() }
#else
  :: atomic { prk && !ppau && pRun==rn && pwhy==W_EVENT && ANYEV -> wake(); CHK() }
#endif
  /* new run: give it a place */
#ifdef FIX_RUN
#define BUMP skip
#else
#define BUMP rn++
#endif
#ifdef FIX_PLACE            /* only when the execution has none; a parked rest of the old run is turned into ready */
  :: atomic { nplace && !TERM && PLACES==0 -> nplace=0; BUMP; toReady(NEWEPOCH(xEp)); resc=0; CHK() }
  :: atomic { nplace && (rdy || hld>0 || TERM) -> nplace=0; if :: rdy && !TERM -> BUMP :: else fi; CHK() }
  :: atomic { nplace && !TERM && prk -> nplace=0; BUMP; wake(); CHK() }
#else
  :: atomic { nplace && !TERM -> nplace=0; BUMP; toReady(NEWEPOCH(xEp)); resc=0; CHK() }
  :: atomic { nplace && TERM -> nplace=0; CHK() }
#endif
  od
}

/* a claim statement that commits after its client is gone or gave up */
#define ZOPT(i) :: atomic { zc[i] -> zc[i]=0; if :: rdy && MAYCLAIM(i) -> rdy=0; hld=i; hEp=rEp+1; hRun=rn; rEp=0 :: true /* rolled back */ fi; CHK() }
proctype Zombie() {
  end: do
  ZOPT(1) ZOPT(2) ZOPT(3)
#if MAXI>=4
  ZOPT(4)
#endif
#if MAXI>=5
  ZOPT(5)
#endif
#if MAXI>=6
  ZOPT(6)
#endif
#if MAXI>=7
  ZOPT(7)
#endif
  od
}

/* people and backends, by SQL or HTTP (every act is acknowledged = committed), and the faults; may stop at any time */
proctype Env() {
  do
  :: atomic { ncan<CANCELS && !TERM -> ncan++; status=CANC; cmd=1; cancelled=rn+1; CHK() }
  :: atomic { npau<PAUSES && (status==PEND||status==RUN_||status==WAIT) -> npau++; status=PAUSED; cmd=1; CHK() }
  :: atomic { status==PAUSED -> status=RUN_; cmd=1; rsh=1; CHK() }                    /* resume */
  :: atomic { nnew<NEWRUNS && TERM -> nnew++; status=PEND; nplace=1;
#ifdef FIX_RUN
       rn++;
#endif
       CHK() }
  :: atomic { nev<EVENTS && ev[0]==0 && !TERM -> nev++; ev[0]=1; evRun[0]=rn; evh[0]=1 }
  :: atomic { nev<EVENTS && ev[0]==1 && ev[1]==0 && !TERM -> nev++; ev[1]=1; evRun[1]=rn; evh[1]=1 }
  :: atomic { nkill<KILLS && al[0] -> nkill++; gone[inc[0]]=1; al[0]=0; wipe(0); boot[0]=0; gk[0]=0; gEp[0]=0; gRun[0]=0 }
  :: atomic { nkill<KILLS && al[1] -> nkill++; gone[inc[1]]=1; al[1]=0; wipe(1); boot[1]=0; gk[1]=0; gEp[1]=0; gRun[1]=0 }
  :: atomic { nexp<EXPIRES && al[0] && wk[inc[0]]==LIVE -> nexp++; wk[inc[0]]=EXP }           /* alive but slow / stopped */
  :: atomic { nexp<EXPIRES && al[1] && wk[inc[1]]==LIVE -> nexp++; wk[inc[1]]=EXP }
  :: atomic { nterm<TERMS && al[0] && boot[0]==0 && (m[0]==R1||m[0]==R2) -> nterm++;          /* SIGTERM, database away */
       sp[0]=(m[0]==R1 -> 1 : 2); spRun[0]=mRun[0]; spDec[0]=mDec[0]; spGate[0]=mGate[0]; spInc[0]=inc[0];
       gone[inc[0]]=1; al[0]=0; wipe(0); gk[0]=0 }
  :: break
  od
}

/* leases of dead incarnations run out */
#define COPT(i) :: atomic { gone[i] && wk[i]==LIVE -> wk[i]=EXP }
proctype Clock() {
  end: do
  COPT(1) COPT(2) COPT(3)
#if MAXI>=4
  COPT(4)
#endif
#if MAXI>=5
  COPT(5)
#endif
#if MAXI>=6
  COPT(6)
#endif
#if MAXI>=7
  COPT(7)
#endif
  od
}

proctype Monitor() {                        /* quiescence: L1, L2, L3 */
  end: atomic { timeout ->
    assert(TERM || PLACES==1);                                              /* acknowledged work has a place */
    assert(!TERM || PLACES==0);                                             /* and leaves none behind */
    assert(TERM || prk);                                                    /* L1: terminal or waiting */
    assert(TERM || status==PAUSED || (pwhy==W_EVENT && !ANYEV));            /* L1, L2, L3: legitimately */
    assert(sp[0]==0 && sp[1]==0) }
}

init { atomic { ninc=2; inc[0]=1; inc[1]=2; al[0]=1; al[1]=1; wk[1]=LIVE; wk[2]=LIVE; run Daemon(0); run Daemon(1); run Matcher(); run Zombie(); run Env(); run Clock(); run Monitor() } }
