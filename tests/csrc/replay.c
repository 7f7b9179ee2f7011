/*
 * replay.c - runs a fuzz target over saved inputs, without a fuzzer: for the corpus in every test
 * run, with any compiler, and for looking at one input in a debugger.
 *
 *     cc ... tests/csrc/replay.c tests/csrc/fuzz_certificate_text.c csrc/(all).c -lssl -lcrypto
 *     ./a.out tests/csrc/corpus/certificate_text crash-0123abcd
 *
 * Directories are walked, in the order of names. Exit code: 0 all ran (a target that finds a fault
 * ends the process), 1 something cannot be read, or there was no input at all.
 */
#include <ftw.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char **paths; /* own, each of them too */
static size_t path_count;

static int add_path(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    char **longer;

    (void)status, (void)place;
    if (kind == FTW_D)
        return 0;
    if (kind != FTW_F)
        return -1;
    longer = realloc(paths, (path_count + 1) * sizeof *paths);
    if (longer == NULL)
        return -1;
    paths = longer;
    paths[path_count] = strdup(path);
    if (paths[path_count] == NULL)
        return -1;
    path_count++;
    return 0;
}

static int by_name(const void *first, const void *second)
{
    return strcmp(*(char *const *)first, *(char *const *)second);
}

/* Reads into a block of exactly the file's size, so that sanitizers see each read past the end. */
static int run(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    long size;
    int result = -1;

    if (file == NULL)
        goto done;
    if (fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0 || fseek(file, 0, SEEK_SET) != 0)
        goto done;
    data = malloc(size == 0 ? 1 : (size_t)size);
    if (data == NULL || fread(data, 1, (size_t)size, file) != (size_t)size)
        goto done;
    LLVMFuzzerTestOneInput(data, (size_t)size);
    result = 0;
done:
    free(data);
    if (file != NULL)
        fclose(file);
    return result;
}

int main(int argc, char **argv)
{
    int result = EXIT_SUCCESS;
    size_t ran = 0, i;
    int j;

    for (j = 1; j < argc; j++) {
        size_t start = path_count;

        if (nftw(argv[j], add_path, 16, 0) != 0) {
            fprintf(stderr, "cannot read %s\n", argv[j]);
            result = EXIT_FAILURE;
        }
        if (path_count > start)
            qsort(paths + start, path_count - start, sizeof *paths, by_name);
    }
    for (i = 0; i < path_count; i++) {
        if (run(paths[i]) == 0) {
            ran++;
        } else {
            fprintf(stderr, "cannot read %s\n", paths[i]);
            result = EXIT_FAILURE;
        }
        free(paths[i]);
    }
    free(paths);
    printf("%zu inputs ran\n", ran);
    return ran == 0 ? EXIT_FAILURE : result;
}
