/* This process as an SNMP engine: Net-SNMP's library set up for sending, with
 * an engineID and engineBoots that outlive it (RFC 3414, 2.2). */
#ifndef PDNA_TRAPS_ENGINE_H
#define PDNA_TRAPS_ENGINE_H

/* Set up the library; its persistent data go into STATE_DIR/snmp. No
 * configuration file is read. Call it before other threads run: it changes
 * the environment and the locale. engineBoots is on disk when it returns, so
 * that a kill does not give it out twice, which makes receivers refuse v3
 * traps as outside of the time window. What fails is logged. Returns 0 or a
 * negative errno. */
int traps_engine_start(const char *state_dir);

/* Give back what the library holds; all sessions must be closed. */
void traps_engine_stop(void);

#endif
