/* spool.pml: a daemon and its database lose touch. A workflow of two steps: x, an effect (a model call), then y, which starts a child and waits for it,
 * or consumes an event: its record is worth nothing without what is written beside it, under the fence. The child ends; the execution ends.
 *
 * While the database is away nothing is written, the call ends and its result is held, and an outcome that has no database when the daemon stops goes
 * to the spool. The next life takes the old claim back, offers the spool, and only then claims. Another daemon may have rescued it meanwhile.
 *
 * FIX_HOLD   a lease that lapsed unnoticed does not abort the call; only a revocation that is known does
 * FIX_ORDER  the spool is offered before the next life claims
 * FIX_ASIDE  the spool holds no record that started a child or consumed an event
 * FIX_LIVE   nothing late enters an execution that is over
 * MUT_NOUNIQ a step may have two final outcomes
 */
#ifndef KILLS
#define KILLS 1
#endif
#ifndef OTHERS
#define OTHERS 0                            /* 1: a second daemon, which rescues */
#endif
#ifndef CANCELS
#define CANCELS 0
#endif
byte place=1, own=0, ep=0; bool over, cancelled; byte xrec=0, yrec=0; bool child, childDone;
bool away; byte naway=0, nstop=0, ncan=0, ncrash=0; bool lapsed;
byte ph[3], myep[3], mx[3], my[3], life[3]; /* life: 0 up, 1 down, 2 took back, 3 offered; ph: 0 idle 1 at work 2 x in flight */
byte calls=0; bool sx, sy; byte nx=0;       /* how often the model was asked; the spool; outcomes of x that were stored */
#define DB (!away)
#define MINE(i) (place==2 && own==i && ep==myep[i])
inline forget(i) { ph[i]=0; mx[i]=0; my[i]=0 }
inline storex() {
#ifdef MUT_NOUNIQ
  xrec=1; nx++
#else
  if :: xrec==0 -> xrec=1; nx++ :: else fi
#endif
  assert(nx<=1); assert(!over) }
proctype Daemon(byte i) {
end: do
#ifdef FIX_ORDER
  :: atomic { DB && life[i]==0 && ph[i]==0 && place==1 -> place=2; own=i; ep++; assert(ep<9); myep[i]=ep; ph[i]=1; mx[i]=xrec; my[i]=yrec }
#else
  :: atomic { DB && (life[i]==0 || life[i]==2) && ph[i]==0 && place==1 -> place=2; own=i; ep++; assert(ep<9); myep[i]=ep; ph[i]=1; mx[i]=xrec; my[i]=yrec }
#endif
  :: atomic { ph[i]==1 && !mx[i] && DB && !over -> ph[i]=2; calls++ }                                  /* no effect begins while it is away */
  :: atomic { ph[i]==2 -> ph[i]=1; mx[i]=2 }                                                           /* 2: known, not written */
#ifndef FIX_HOLD
  :: atomic { ph[i]==2 && away && lapsed -> forget(i); if :: MINE(i) -> place=1 :: else fi }
#endif
  :: atomic { ph[i]==1 && mx[i]==2 && DB ->                                                            /* append */
       if :: MINE(i) && over -> place=0; forget(i)
          :: MINE(i) && !over && xrec==0 -> storex(); mx[i]=1
          :: MINE(i) && !over && xrec!=0 -> mx[i]=1                                                    /* conflict: the stored one stands */
          :: !MINE(i) && !over -> storex(); forget(i)                                                  /* late */
          :: !MINE(i) && over -> forget(i) fi }
  :: atomic { ph[i]==1 && mx[i]==1 && !my[i] && !over -> my[i]=2 }
  :: atomic { ph[i]==1 && my[i]==2 && DB ->                                                            /* park, with the child beside it */
       if :: MINE(i) && over -> place=0; forget(i)
          :: MINE(i) && !over && yrec==0 -> yrec=1; child=1; place=3; forget(i)
          :: MINE(i) && !over && yrec!=0 -> my[i]=1
          :: !MINE(i) -> forget(i) fi }
  :: atomic { ph[i]==1 && mx[i]==1 && my[i]==1 && DB -> if :: MINE(i) && over -> place=0 :: MINE(i) && !over && childDone -> over=1; place=0 :: MINE(i) && !over && !childDone -> place=3 :: else fi; forget(i) }
  :: atomic { ph[i]==1 && over && DB -> if :: MINE(i) -> place=0 :: else fi; forget(i) }
  /* told to stop with the database away */
  :: atomic { i==1 && life[i]==0 && away && nstop<1 && ph[i]==1 && (mx[i]==2 || my[i]==2) -> nstop++;
       sx=(mx[i]==2);
#ifndef FIX_ASIDE
       sy=(my[i]==2);
#endif
       forget(i); life[i]=1 }
  :: atomic { i==1 && life[i]==1 && DB -> if :: place==2 && own==i -> place=1 :: else fi; life[i]=2 }    /* take_over */
  :: atomic { i==1 && life[i]==2 && DB ->                                                              /* offered; the file goes after the commit */
       if :: sx -> if
#ifdef FIX_LIVE
                   :: over -> skip
#endif
                   :: else -> storex() fi
          :: else fi;
       if :: sy && !over && yrec==0 -> yrec=1 :: else fi;
       if :: sx=0; sy=0; life[i]=0 :: ncrash<KILLS -> ncrash++; forget(i); life[i]=1 fi }               /* or it dies in between, and offers again */
  od }
proctype World() {
end: do
  :: atomic { naway<1 -> naway++; away=1 }
  :: atomic { away -> away=0; lapsed=0 }
  :: atomic { away && !lapsed -> lapsed=1 }
  :: atomic { OTHERS && DB && place==2 && own==1 && naway==1 && ncrash<9 && life[1]<2 && ep<3 -> place=1 } /* rescued */
  :: atomic { DB && child && !childDone -> childDone=1 }
  :: atomic { DB && place==3 && childDone && !over -> place=1 }
  :: atomic { DB && place==3 && over -> place=0 }
  :: atomic { DB && ncan<CANCELS && !over -> ncan++; over=1; cancelled=1 }
  od }
proctype Monitor() { end: atomic { timeout ->
    assert(over); assert(place==0); assert(!sx && !sy);
    assert(OTHERS || calls<=1) } }          /* with nobody else about, the model is asked once */
init { atomic { run Daemon(1); if :: OTHERS -> run Daemon(2) :: else fi; run World(); run Monitor() } }
