/* submit.pml: POST /execute inserts the execution already claimed by the daemon that answers. One client, which asks again when it gets no answer; two
 * daemons, of which the first may be revoked at any time, and whose reply may be lost between database, daemon and client.
 *
 * FIX_LOCK   the claim locks the daemon's own workers row and looks whether it is revoked in the same transaction
 * FIX_ADOPT  the sweep over held takes what is this daemon's without its knowing
 * FIX_REV    a claimed row does not pass through the feed trigger
 * FIX_ID     the client's repetition has the same id, and the insertion does nothing where it is there
 */
byte rows=0, place=0, places=0, holder=0;   /* place: 1 ready, 2 held, 9 over */
bool revoked[3], own[3], looked[3]; byte lost=0, tries=0; bool told; byte ends=0;
#define CLAIM(i) place=2; holder=i; assert(!revoked[i])                         /* nothing is put under a dead incarnation */
#ifdef FIX_REV
#define FED 0
#else
#define FED 1
#endif
#ifdef FIX_ID
#define NEW (rows==0)
#else
#define NEW 1
#endif
inline insertion(i, claims) {
  if
  :: NEW -> rows++; assert(rows==1);
       if :: claims -> CLAIM(i); places=1+FED :: !(claims) -> place=1; places=1 fi; assert(places==1)
  :: !(NEW) -> skip
  fi }
inline reply(i) {                                                                /* what the daemon and the client come to know of it */
  if
  :: told=1; if :: place==2 && holder==i -> own[i]=1 :: else fi
  :: lost<2 -> lost++; if :: place==2 && holder==i -> own[i]=1 :: else fi        /* the daemon knows, the client does not */
  :: lost<2 -> lost++                                                            /* committed; nobody knows */
  fi }
proctype Client() {
  do
  :: !told && tries<3 -> tries++;
     if
#ifdef FIX_LOCK
     :: atomic { insertion(1, !revoked[1]); reply(1) }
#else
     :: looked[1]=!revoked[1]; atomic { insertion(1, looked[1]); reply(1) }
#endif
     :: atomic { insertion(2, 1); reply(2) }
     fi
  :: told || tries==3 -> break
  od }
proctype Daemon(byte i) {
end: do
  :: atomic { own[i] -> own[i]=0; if :: place==2 && holder==i -> place=9; ends++ :: else fi }
  :: atomic { place==1 && !revoked[i] && !own[i] -> CLAIM(i); own[i]=1 }
#ifdef FIX_ADOPT
  :: atomic { place==2 && holder==i && !own[i] && !revoked[i] -> own[i]=1 }
#endif
  od }
proctype Keeper() {                                                              /* the first is taken for dead; what it holds goes back */
  atomic { revoked[1]=1; if :: place==2 && holder==1 -> place=1 :: else fi } }
proctype Monitor() { end: atomic { timeout -> assert(rows==0 || place==9); assert(ends<=1); assert(!told || rows==1) } }
init { atomic { run Client(); run Daemon(1); run Daemon(2); run Keeper(); run Monitor() } }
