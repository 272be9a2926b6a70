/* children.pml: an execution that starts a child and waits for it, two daemons, a cancellation.
 *
 * One transaction (flush and flush_aside): the record of the wait, the child under an id derived from parent, step, run and attempt, and the park. One
 * transaction (on_child_end): the child's end and the event that tells its parent. One transaction (on_status): the cancellation and the command that
 * sees to the children there are.
 *
 * ALT_RECORDFIRST  the wait is recorded, then the child inserted     ALT_CHILDFIRST  the child is inserted, then the wait recorded
 * MUT_RANDOMID     the child's id is a new one each time              MUT_LATE       a fenced write stores the wait, without what goes beside it
 * MUT_NOENDS       a parent that fails leaves its children alone      MUT_TELLLATER  the parent is told in a transaction after the child's end
 */
#define LIVE 1
#define ENDED 2
#define CANC 3
#ifndef KILLS
#define KILLS 1
#endif
#ifndef EXPIRES
#define EXPIRES 1
#endif
#ifndef CANCELS
#define CANCELS 1
#endif
#ifndef FAILURES
#define FAILURES 1
#endif
byte pst=LIVE, cst=0, kids=0;        /* parent's and child's row; children ever inserted */
bool wrec, ev, tell, orphan;         /* the wait is recorded; event child:KEY; told later; command orphan */
byte place=1, own=0, ep=0;           /* 0 none, 1 ready, 2 held, 3 parked */
byte ph[3], myep[3];                 /* a daemon's phase: 0 idle, 1 at work, 2 is about to write the start, 3 half of it is written */
byte nkill=0, nexp=0, ncan=0, nfail=0;
bool dead[3], busy;
#define MINE(i) (place==2 && own==i && ep==myep[i])
#ifdef MUT_RANDOMID
#define INSERT kids++; cst=LIVE
#else
#define INSERT if :: kids==0 -> kids++; cst=LIVE :: else fi
#endif
inline chk() { assert(kids<=1); assert(ep<7) }
proctype Daemon(byte i) {
end: do
  :: atomic { ph[i]==0 && !dead[i] && place==1 -> place=2; own=i; ep++; myep[i]=ep; ph[i]=1; chk() }
  :: atomic { ph[i]==1 && pst!=LIVE -> if :: MINE(i) -> place=0 :: else fi; ph[i]=0 }                      /* refused or polled: given back */
  :: atomic { ph[i]==1 && pst==LIVE && !wrec -> ph[i]=2 }
#ifdef ALT_RECORDFIRST
  :: atomic { ph[i]==2 -> if :: MINE(i) && pst==LIVE && !wrec -> wrec=1; ph[i]=3 :: else -> if :: MINE(i) -> place=(pst==LIVE -> 1 : 0) :: else fi; ph[i]=0 fi }
  :: atomic { ph[i]==3 -> INSERT; if :: MINE(i) -> place=3 :: else fi; ph[i]=0; chk() }
#else
#ifdef ALT_CHILDFIRST
  :: atomic { ph[i]==2 -> INSERT; ph[i]=3; chk() }
  :: atomic { ph[i]==3 -> if :: MINE(i) && pst==LIVE -> wrec=1; place=3 :: MINE(i) && pst!=LIVE -> place=0 :: else fi; ph[i]=0 }
#else
  :: atomic { ph[i]==2 ->                                                                                   /* flush */
       if
       :: MINE(i) && pst!=LIVE -> place=0                                                                   /* finished */
       :: MINE(i) && pst==LIVE && !wrec -> wrec=1; INSERT; if :: place=3 :: busy=1 fi                        /* parked, or another branch goes on */
       :: MINE(i) && pst==LIVE && wrec -> place=1                                                           /* conflict: replayed */
#ifdef MUT_LATE
       :: !MINE(i) && pst==LIVE -> wrec=1
       :: !MINE(i) && pst!=LIVE -> skip
#else
       :: !MINE(i) -> skip                                                                                  /* fenced: something is beside it */
#endif
       fi; ph[i]=busy; busy=0; chk() }
#endif
#endif
  :: atomic { ph[i]==1 && pst==LIVE && wrec && ev ->                                                        /* the answer is there: consumed with the end */
       if :: MINE(i) -> ev=0; pst=ENDED; place=0 :: else fi; ph[i]=0 }
  :: atomic { ph[i]==1 && pst==LIVE && wrec && !ev -> if :: MINE(i) -> place=3 :: else fi; ph[i]=0 }
  :: atomic { ph[i]==1 && pst==LIVE && nfail<FAILURES -> nfail++;                                           /* another branch fails the run */
       if :: MINE(i) -> pst=ENDED; place=0;
#ifndef MUT_NOENDS
            if :: cst==LIVE -> orphan=1 :: else fi
#endif
       :: else fi; ph[i]=0 }
  od
}
proctype Keeper() {                         /* rescue, match_events, obey */
end: do
  :: atomic { place==2 && dead[own] -> place=1 }
  :: atomic { place==2 && nexp<EXPIRES -> nexp++; place=1 }
  :: atomic { place==3 && pst==LIVE && ev -> place=1 }
  :: atomic { place==3 && pst!=LIVE -> place=0 }
  :: atomic { orphan -> orphan=0; if :: cst==LIVE && pst!=LIVE -> cst=CANC :: else fi }
  od
}
proctype Child() {
end: do
  :: atomic { cst==LIVE -> cst=ENDED;
#ifdef MUT_TELLLATER
       tell=1 }
  :: atomic { tell -> tell=0; if :: pst==LIVE -> ev=1 :: else fi }
  :: atomic { tell && nkill<KILLS -> nkill++; tell=0
#else
       if :: pst==LIVE -> ev=1 :: else fi
#endif
     }
  :: break                                  /* works on for ever */
  od
}
proctype People() {
  do
  :: atomic { ncan<CANCELS && pst==LIVE -> ncan++; pst=CANC; if :: cst==LIVE -> orphan=1 :: else fi }
  :: atomic { nkill<KILLS && !dead[1] -> nkill++; dead[1]=1; ph[1]=0 }                                      /* for good: the other goes on */
  :: break
  od
}
proctype Monitor() {
end: atomic { timeout ->
    assert(pst!=LIVE || (place==3 && wrec && cst==LIVE));   /* nobody waits for what is not to come */
    assert(pst==LIVE || cst!=LIVE);         /* no child outlives a parent that waited for it */
    assert(pst==LIVE || place==0) }
}
init { atomic { run Daemon(1); run Daemon(2); run Keeper(); run Child(); run People(); run Monitor() } }
