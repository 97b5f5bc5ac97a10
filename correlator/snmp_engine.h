/* This process as an SNMP engine: Net-SNMP's library set up for sending and
 * asking, with an engineID and engineBoots that outlive it (RFC 3414, 2.2).
 *
 * Two threads use the library: that of the traps, which waits for the database
 * now and then, and the main loop, which polls agents and must not wait. So
 * neither can do the other's work. What the library keeps for all sessions
 * (users, engines, their clocks, request numbers) has no lock of its own;
 * hence this one, held for each call that sends, reads, opens or closes, and
 * never while anybody waits for an answer, a name or the database. */
#ifndef PDNA_SNMP_ENGINE_H
#define PDNA_SNMP_ENGINE_H

/* Set up the library; its persistent data go into STATE_DIR/snmp. No
 * configuration file is read. Call it before other threads run: it changes
 * the environment and the locale. engineBoots is on disk when it returns, so
 * that a kill does not give it out twice, which makes receivers refuse v3
 * traps as outside of the time window. What fails is logged. Returns 0 or a
 * negative errno. */
int snmp_engine_start(const char *state_dir);

/* Around each use of the library once snmp_engine_start has returned; not
 * recursive, so callbacks, which run inside of it, don't take it. */
void snmp_engine_lock(void);
void snmp_engine_unlock(void);

/* Give back what the library holds; all sessions must be closed. */
void snmp_engine_stop(void);

#endif
