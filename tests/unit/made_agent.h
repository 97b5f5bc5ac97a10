/* An SNMP agent made up for tests: objects in order of their names, and the
 * answers to requests for them as PDUs. Objects may be set to anything. */
#ifndef PDNA_MADE_AGENT_H
#define PDNA_MADE_AGENT_H

#include <stdlib.h>
#include <string.h>

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include "lib/record/mib.h"

enum { MADE_OBJECTS_MAX = 4096, MADE_VALUE_MAX = 600 };

struct made_object {
  oid name[MAX_OID_LEN];
  size_t name_len;
  u_char type;
  u_char value[MADE_VALUE_MAX];
  size_t len;
};

struct made_agent {
  struct made_object objects[MADE_OBJECTS_MAX];
  size_t len;
  long errstat; /* of each answer */
  size_t cut;   /* varbinds of an answer at most, 0 for no such bound */
};

static inline int made_compare(const void *a, const void *b) {
  const struct made_object *x = a, *y = b;
  return snmp_oid_compare(x->name, x->name_len, y->name, y->name_len);
}

static inline struct made_object *made_find(struct made_agent *a,
                                            const oid *name, size_t len) {
  for (size_t i = 0; i < a->len; i++)
    if (snmp_oid_compare(a->objects[i].name, a->objects[i].name_len, name,
                         len) == 0)
      return &a->objects[i];
  return NULL;
}

/* Set an object, a new one if there is none; type 0 takes it away. */
static inline void made_set(struct made_agent *a, const oid *name,
                            size_t name_len, u_char type, const void *value,
                            size_t len) {
  struct made_object *o = made_find(a, name, name_len);

  if (o == NULL) {
    if (a->len == MADE_OBJECTS_MAX)
      abort();
    o = &a->objects[a->len++];
  }
  memset(o, 0, sizeof(*o));
  memcpy(o->name, name, name_len * sizeof(oid));
  o->name_len = name_len;
  o->type = type;
  memcpy(o->value, value, len);
  o->len = len;
  if (type == 0)
    *o = a->objects[--a->len];
  qsort(a->objects, a->len, sizeof(a->objects[0]), made_compare);
}

static inline void made_text(struct made_agent *a, const oid *name, size_t len,
                             const char *text) {
  made_set(a, name, len, ASN_OCTET_STR, text, strlen(text));
}

static inline void made_number(struct made_agent *a, const oid *name,
                               size_t len, u_char type, long number) {
  made_set(a, name, len, type, &number, sizeof(number));
}

static inline void made_add(netsnmp_pdu *pdu, const struct made_object *o) {
  if (snmp_pdu_add_variable(pdu, o->name, o->name_len, o->type, o->value,
                            o->len) == NULL)
    abort();
}

static inline void made_exception(netsnmp_pdu *pdu, const oid *name, size_t len,
                                  u_char type) {
  if (snmp_pdu_add_variable(pdu, name, len, type, NULL, 0) == NULL)
    abort();
}

/* The first object behind a name; NULL: there is none. */
static inline const struct made_object *made_next(const struct made_agent *a,
                                                  const oid *name, size_t len) {
  for (size_t i = 0; i < a->len; i++)
    if (snmp_oid_compare(a->objects[i].name, a->objects[i].name_len, name,
                         len) > 0)
      return &a->objects[i];
  return NULL;
}

static inline void made_bulk(const struct made_agent *a,
                             const netsnmp_pdu *request, netsnmp_pdu *answer) {
  struct made_object at[64];
  size_t n = 0;
  size_t added = 0;

  for (const netsnmp_variable_list *v = request->variables; v != NULL;
       v = v->next_variable, n++) {
    memcpy(at[n].name, v->name, v->name_length * sizeof(oid));
    at[n].name_len = v->name_length;
  }
  for (long i = 0; i < request->max_repetitions; i++)
    for (size_t j = 0; j < n; j++) {
      const struct made_object *o = made_next(a, at[j].name, at[j].name_len);
      if (a->cut != 0 && added++ == a->cut)
        return;
      if (o == NULL)
        made_exception(answer, at[j].name, at[j].name_len, SNMP_ENDOFMIBVIEW);
      else
        made_add(answer, o);
      if (o != NULL)
        at[j] = *o;
    }
}

/* The answer to a request, which is freed. */
static inline netsnmp_pdu *made_answer(struct made_agent *a,
                                       netsnmp_pdu *request) {
  netsnmp_pdu *answer = snmp_pdu_create(SNMP_MSG_RESPONSE);

  if (answer == NULL)
    abort();
  answer->errstat = a->errstat;
  if (request->command == SNMP_MSG_GETBULK)
    made_bulk(a, request, answer);
  for (const netsnmp_variable_list *v = request->variables;
       v != NULL && request->command == SNMP_MSG_GET; v = v->next_variable) {
    const struct made_object *o = made_find(a, v->name, v->name_length);
    if (o == NULL)
      made_exception(answer, v->name, v->name_length, SNMP_NOSUCHOBJECT);
    else
      made_add(answer, o);
  }
  snmp_free_pdu(request);
  return answer;
}

#endif
