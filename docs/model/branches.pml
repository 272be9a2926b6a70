/* branches.pml: two gates and an effect side by side, and a gate behind the first one; an event for each. One daemon after another.
 *
 * The owner works on the effect while it waits, is told of events for what it holds, parks only when nothing is left to do, and names in parked.awaits
 * the topics of all open waits. A matcher wakes what is parked by an event of an awaited topic.
 *
 * ALT_PARKEARLY  it parks as soon as something waits, whatever is in flight      MUT_AWAITSONE  parked.awaits names the first wait only
 * MUT_ANYEVENT   any event of the execution wakes it, awaited or not            MUT_EATEARLY   an event for a step that is not reached yet is consumed
 */
#ifndef KILLS
#define KILLS 1
#endif
byte place=1, ep=0;                         /* 1 ready, 2 held, 3 parked, 0 none */
bool brec; byte runs=0;                     /* the effect's outcome; how often it ran to its end */
bool g[3], ev[3], sent[3], aw[3];                    /* gates recorded; events unconsumed; topics in parked.awaits. Gate 2 opens behind gate 0 */
byte nkill=0; bool done;
bool up, bfl, mb; bool mg[3]; byte myep;    /* the owner: alive with the claim, effect in flight, its outcome known, gates known */
#define OPEN(k) (!mg[k] && (k!=2 || mg[0]))
#define MINE (place==2 && ep==myep)
#define HIT ((aw[0]&&ev[0]) || (aw[1]&&ev[1]) || (aw[2]&&ev[2]))
inline stop() { up=0; bfl=0; mb=0; mg[0]=0; mg[1]=0; mg[2]=0 }
inline answer(k) { mg[k]=1; g[k]=1; ev[k]=0 }                                  /* one flush: the record and the consumption */
proctype Owner() {
end: do
  :: atomic { !up && place==1 -> place=2; ep++; assert(ep<12); myep=ep; up=1; mb=brec; mg[0]=g[0]; mg[1]=g[1]; mg[2]=g[2]; aw[0]=0; aw[1]=0; aw[2]=0 }
  :: atomic { up && !mb && !bfl -> bfl=1 }
  :: atomic { up && bfl -> bfl=0; runs++; if :: MINE -> brec=1; mb=1 :: else -> stop() fi }
  :: atomic { up && MINE && OPEN(0) && ev[0] -> answer(0) }
  :: atomic { up && MINE && OPEN(1) && ev[1] -> answer(1) }
  :: atomic { up && MINE && OPEN(2) && ev[2] -> answer(2) }
#ifdef MUT_EATEARLY
  :: atomic { up && MINE && !OPEN(2) && !mg[2] && ev[2] -> ev[2]=0 }
#endif
#ifdef ALT_PARKEARLY
  :: atomic { up && MINE && ((OPEN(0)&&!ev[0]) || (OPEN(1)&&!ev[1]) || (OPEN(2)&&!ev[2])) ->
#else
  :: atomic { up && MINE && mb && !bfl && (OPEN(0)||OPEN(1)||OPEN(2)) && !((OPEN(0)&&ev[0]) || (OPEN(1)&&ev[1]) || (OPEN(2)&&ev[2])) ->
#endif
       place=3;
#ifdef MUT_AWAITSONE
       aw[0]=OPEN(0); aw[1]=OPEN(1)&&!OPEN(0); aw[2]=OPEN(2)&&!OPEN(0)&&!OPEN(1);
#else
       aw[0]=OPEN(0); aw[1]=OPEN(1); aw[2]=OPEN(2);
#endif
       stop() }
  :: atomic { up && MINE && mb && mg[0] && mg[1] && mg[2] -> done=1; place=0; stop() }
  :: atomic { up && nkill<KILLS -> nkill++; stop(); place=1 }                  /* killed, and rescued */
  od
}
proctype Matcher() {
end: do
#ifdef MUT_ANYEVENT
  :: atomic { place==3 && (ev[0]||ev[1]||ev[2]) -> place=1 }
#else
  :: atomic { place==3 && HIT -> place=1 }
#endif
  od
}
#define SEND(k) :: atomic { !sent[k] -> sent[k]=1; ev[k]=1 }
proctype People() { do SEND(0) SEND(1) SEND(2) :: break od }                    /* each once or never, the last perhaps long before its gate */
#define OWED(k) (!g[k] && (k!=2 || g[0]) && sent[k])
proctype Monitor() { end: atomic { timeout ->
    assert(!OWED(0) && !OWED(1) && !OWED(2));                                   /* whoever was answered has gone on */
    assert(done || place==3); assert(!done || place==0); assert(brec); assert(runs<=1+nkill) } }
init { atomic { run Owner(); run Matcher(); run People(); run Monitor() } }
