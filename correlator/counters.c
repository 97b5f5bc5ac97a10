#include "correlator/counters.h"

#include <assert.h>
#include <stdatomic.h>

static atomic_uint_fast64_t values[COUNTER_MAX];

#define COUNTERS_NAME(identifier, name, what) [COUNTER_##identifier] = (name),
static const char *const names[COUNTER_MAX] = {COUNTERS(COUNTERS_NAME)};

#define COUNTERS_WHAT(identifier, name, what) [COUNTER_##identifier] = (what),
static const char *const descriptions[COUNTER_MAX] = {COUNTERS(COUNTERS_WHAT)};

void counters_add(enum counter counter, uint64_t n) {
  assert(counter < COUNTER_MAX);
  atomic_fetch_add_explicit(&values[counter], n, memory_order_relaxed);
}

uint64_t counters_get(enum counter counter) {
  assert(counter < COUNTER_MAX);
  return atomic_load_explicit(&values[counter], memory_order_relaxed);
}

const char *counters_name(enum counter counter) {
  assert(counter < COUNTER_MAX);
  return names[counter];
}

const char *counters_description(enum counter counter) {
  assert(counter < COUNTER_MAX);
  return descriptions[counter];
}
