#define _DEFAULT_SOURCE  // madvise

#include "slabs.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

// What stands at the beginning of a slab. Slabs of one kind that have room form a list; 0 is its end, and slab 0 serves nobody.
struct slab {
  uint16_t before, after;
  uint16_t blocks, room;
  uint16_t first_block;  // in bytes from the slab's beginning
  uint16_t lowest;       // no word before this one has a free block
  uint64_t is_free[];
};

// Slabs that were used and are not, whose memory is kept: 1 MiB, so that a few connections more or less are no matter of the kernel's.
enum { most_spare = 16, slabs_opened_at_once = 16 };

_Atomic(uintptr_t) slab_base = -SLAB_RANGE;
uint8_t slab_kind[slab_count];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
  bool is_reserved;
  size_t opened;  // slabs before this one may be written
  size_t begun;   // slabs before this one have been in use
  size_t used;
  uint16_t with_room[slab_kinds + 1];
  uint16_t spare[most_spare];
  size_t spare_count;
  uint64_t is_vacant[slab_count / 64];  // those that were used, are not, and have no memory
  size_t vacant_count;
} all;

static char *address_of(size_t index) { return (char *)atomic_load_explicit(&slab_base, memory_order_relaxed) + index * slab_bytes; }

static struct slab *slab_at(size_t index) { return (struct slab *)address_of(index); }

static size_t size_of(size_t index) { return slab_block_bytes(slab_kind[index]); }

// MARK: The range

// Reserves addresses, once; where that fails, there is no slab 1 ever.
static void reserve(void) {
  all.is_reserved = true;
  all.opened = all.begun = slab_count;
  char *start = mmap(NULL, SLAB_RANGE + slab_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (start == MAP_FAILED) return;
  all.opened = all.begun = 1;
  uintptr_t base = ((uintptr_t)start + slab_bytes - 1) / slab_bytes * slab_bytes;
  atomic_store_explicit(&slab_base, base, memory_order_relaxed);
}

static size_t begin_another(void) {
  if (!all.is_reserved) reserve();
  if (all.begun == slab_count) return 0;
  if (all.begun == all.opened) {
    size_t more = slab_count - all.opened < slabs_opened_at_once ? slab_count - all.opened : slabs_opened_at_once;
    if (mprotect(address_of(all.opened), more * slab_bytes, PROT_READ | PROT_WRITE) != 0) return 0;
    all.opened += more;
  }
  return all.begun++;
}

// A slab that nobody uses; 0 where there is none.
static size_t find_unused(void) {
  if (all.spare_count > 0) return all.spare[--all.spare_count];
  if (all.vacant_count == 0) return begin_another();
  size_t word = 0;
  while (all.is_vacant[word] == 0) word++;
  size_t bit = (size_t)__builtin_ctzll(all.is_vacant[word]);
  all.is_vacant[word] &= ~(1ull << bit);
  all.vacant_count--;
  return word * 64 + bit;
}

static void become_vacant(size_t index) {
  madvise(address_of(index), slab_bytes, MADV_DONTNEED);
  all.is_vacant[index / 64] |= 1ull << index % 64;
  all.vacant_count++;
}

// MARK: Slabs of a kind

static void list(size_t index) {
  struct slab *slab = slab_at(index);
  uint16_t *first = &all.with_room[slab_kind[index]];
  slab->before = 0;
  slab->after = *first;
  if (*first != 0) slab_at(*first)->before = (uint16_t)index;
  *first = (uint16_t)index;
}

static void unlist(size_t index) {
  struct slab *slab = slab_at(index);
  if (slab->after != 0) slab_at(slab->after)->before = slab->before;
  if (slab->before != 0) slab_at(slab->before)->after = slab->after;
  else all.with_room[slab_kind[index]] = slab->after;
}

static size_t head_bytes(size_t blocks) { return (sizeof(struct slab) + (blocks + 63) / 64 * sizeof(uint64_t) + 15) / 16 * 16; }

static size_t begin_slab(size_t kind) {
  size_t index = find_unused();
  if (index == 0) return 0;
  size_t size = slab_block_bytes(kind), blocks = slab_bytes / size;
  while (head_bytes(blocks) + blocks * size > slab_bytes) blocks--;
  struct slab *slab = slab_at(index);
  slab->blocks = slab->room = (uint16_t)blocks;
  slab->first_block = (uint16_t)head_bytes(blocks);
  slab->lowest = 0;
  for (size_t word = 0; word * 64 < blocks; word++) {
    size_t left = blocks - word * 64;
    slab->is_free[word] = left < 64 ? (1ull << left) - 1 : ~0ull;
  }
  slab_kind[index] = (uint8_t)kind;
  all.used++;
  list(index);
  return index;
}

static void end_slab(size_t index) {
  unlist(index);
  slab_kind[index] = 0;
  all.used--;
  if (all.spare_count < most_spare) all.spare[all.spare_count++] = (uint16_t)index;
  else become_vacant(index);
}

// MARK: Blocks

size_t slabs_take(size_t kind, void **blocks, size_t count) {
  size_t taken = 0;
  pthread_mutex_lock(&lock);
  while (taken < count) {
    size_t index = all.with_room[kind] != 0 ? all.with_room[kind] : begin_slab(kind);
    if (index == 0) break;
    struct slab *slab = slab_at(index);
    while (slab->is_free[slab->lowest] == 0) slab->lowest++;
    uint64_t *word = &slab->is_free[slab->lowest];
    size_t number = slab->lowest * 64u + (size_t)__builtin_ctzll(*word);
    *word &= *word - 1;
    if (--slab->room == 0) unlist(index);
    blocks[taken++] = (char *)slab + slab->first_block + number * size_of(index);
  }
  pthread_mutex_unlock(&lock);
  return taken;
}

static void give(void *block) {
  uintptr_t offset = (uintptr_t)block - atomic_load_explicit(&slab_base, memory_order_relaxed);
  size_t index = offset / slab_bytes;
  if (slab_kind[index] == 0) abort();
  struct slab *slab = slab_at(index);
  size_t place = offset % slab_bytes - slab->first_block, number = place / size_of(index), word = number / 64;
  uint64_t bit = 1ull << number % 64;
  if (place % size_of(index) != 0 || number >= slab->blocks || (slab->is_free[word] & bit) != 0) abort();
  slab->is_free[word] |= bit;
  if (word < slab->lowest) slab->lowest = (uint16_t)word;
  if (slab->room++ == 0) list(index);
  if (slab->room == slab->blocks) end_slab(index);
}

void slabs_give(void *const *blocks, size_t count) {
  pthread_mutex_lock(&lock);
  for (size_t index = 0; index < count; index++) give(blocks[index]);
  pthread_mutex_unlock(&lock);
}

// MARK: Trimming

// Whether no byte of a slab's part is in use.
static bool is_unused(const struct slab *slab, size_t size, size_t start, size_t end) {
  if (start < slab->first_block) return false;
  for (size_t number = (start - slab->first_block) / size; number < slab->blocks; number++) {
    if (slab->first_block + number * size >= end) break;
    if ((slab->is_free[number / 64] >> number % 64 & 1) == 0) return false;
  }
  return true;
}

static void trim(size_t index, size_t page) {
  struct slab *slab = slab_at(index);
  for (size_t start = 0; start < slab_bytes; start += page) {
    if (is_unused(slab, size_of(index), start, start + page)) madvise((char *)slab + start, page, MADV_DONTNEED);
  }
}

void slabs_trim(void) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  pthread_mutex_lock(&lock);
  while (all.spare_count > 0) become_vacant(all.spare[--all.spare_count]);
  // The lock is let go between slabs: nobody waits for all of them.
  for (size_t index = 1; index < all.begun && index < slab_count; index++) {
    if (slab_kind[index] != 0) trim(index, page);
    pthread_mutex_unlock(&lock);
    pthread_mutex_lock(&lock);
  }
  pthread_mutex_unlock(&lock);
}

size_t slabs_in_use(void) {
  pthread_mutex_lock(&lock);
  size_t used = all.used;
  pthread_mutex_unlock(&lock);
  return used;
}
