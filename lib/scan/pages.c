#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/scan/pages.h"

/* Before the array, and as aligned as malloc's memory is. */
struct header {
  size_t mapped; /* bytes, with the header */
  size_t pad;
};

_Static_assert(sizeof(struct header) % _Alignof(max_align_t) == 0,
               "the array behind the header is aligned");

static size_t round_up(size_t bytes) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);

  return (bytes + page - 1) / page * page;
}

void *pages_alloc(size_t len, size_t size) {
  struct header *header;
  size_t bytes;

  if (__builtin_mul_overflow(len, size, &bytes) ||
      bytes > SIZE_MAX / 2 - sizeof(*header))
    return NULL;
  bytes = round_up(bytes + sizeof(*header));
  /* A page fault each would cost more than all at once. */
  header = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (header == MAP_FAILED)
    return NULL;
  header->mapped = bytes;
  return header + 1;
}

void pages_trim(void *array, size_t len, size_t size) {
  struct header *header = (struct header *)array - 1;
  size_t bytes = round_up(sizeof(*header) + len * size);

  if (bytes < header->mapped &&
      munmap((char *)header + bytes, header->mapped - bytes) == 0)
    header->mapped = bytes;
}

void pages_free(void *array) {
  struct header *header;

  if (array == NULL)
    return;
  header = (struct header *)array - 1;
  (void)munmap(header, header->mapped);
}
