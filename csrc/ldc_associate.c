/*
 * ldc_associate.c - the association object: life, fixed fields, presentation contexts
 * (ldc_associate.h says the rules).
 */
#include "ldc_associate.h"

#include <stdlib.h>
#include <string.h>

#include "ldc_error.h"
#include "ltdic.h"

#ifndef LTDIC_VERSION
#error "LTDIC_VERSION is set by the build (setup.py)"
#endif

#define ALIVE 0x50445541u /* "AUDP" */

/* ---- helpers ---- */

static int out_of_memory(void)
{
    return ldc_error(DICOM_ERROR_MEMORY, "%s", "");
}

/* NULL counts as "". Leaves out the spaces around. */
static size_t trim(const char **text)
{
    const char *start = *text == NULL ? "" : *text;

    start += strspn(start, " ");
    size_t length = strlen(start);
    while (length > 0 && start[length - 1] == ' ') {
        length--;
    }
    *text = start;
    return length;
}

static int bad_uid(const char *what, const char *uid)
{
    return ldc_error(DICOM_ERROR_PARAMETER,
                     "%s is \"%.80s\"; a UID has 1 to 64 digits and dots, as 1.2.840.10008.1.1",
                     what, uid);
}

/* Sets a UID member. `empty` says whether "" is allowed. */
static int set_uid(char member[LDC_UID_SIZE], const char *what, const char *uid, bool empty)
{
    size_t length = trim(&uid);

    if (!(empty && length == 0) && !ldc_uid_valid(uid, length)) {
        return bad_uid(what, uid);
    }
    ldc_uid_set(member, uid, length);
    return DICOM_SUCCESS;
}

/* ---- life ---- */

ldc_associate *ldc_associate_create(bool request)
{
    ldc_associate *associate = calloc(1, sizeof *associate);

    if (associate == NULL) {
        (void)out_of_memory();
        return NULL;
    }
    associate->magic = ALIVE;
    ldc_associate_reset(associate, request);
    return associate;
}

bool ldc_associate_alive(const ldc_associate *associate)
{
    if (associate == NULL || (uintptr_t)associate % _Alignof(ldc_associate) != 0) {
        return false;
    }
    return associate->magic == ALIVE;
}

static void clear_context(ldc_context *context)
{
    ldc_uid_list_clear(&context->transfers);
}

void ldc_associate_clear(ldc_associate *associate)
{
    bool request = associate->request;

    for (size_t i = 0; i < associate->context_count; i++) {
        clear_context(&associate->contexts[i]);
    }
    free(associate->contexts);
    ldc_associate_clear_items(associate);
    free(associate->called);
    free(associate->calling);
    *associate = (ldc_associate){.magic = ALIVE, .request = request};
}

void ldc_associate_free(ldc_associate *associate)
{
    if (associate == NULL) {
        return;
    }
    ldc_associate_clear(associate);
    *(volatile uint32_t *)&associate->magic = 0; /* no store that a compiler may leave out */
    free(associate);
}

void ldc_associate_default(ldc_associate *associate)
{
    static const char name[] = "LTCOMPAT_" LTDIC_VERSION;

    ldc_associate_clear(associate);
    associate->version = 1;
    memcpy(associate->application, LDC_APPLICATION_CONTEXT, sizeof LDC_APPLICATION_CONTEXT);
    associate->has_max_length = true;
    associate->max_length = LDC_DEFAULT_MAX_LENGTH;
    memcpy(associate->implementation_class, LDC_IMPLEMENTATION_CLASS,
           sizeof LDC_IMPLEMENTATION_CLASS);
    size_t length = sizeof name - 1;
    if (length > LDC_VERSION_NAME_SIZE - 1) {
        length = LDC_VERSION_NAME_SIZE - 1;
    }
    memcpy(associate->implementation_version, name, length);
}

void ldc_associate_reset(ldc_associate *associate, bool request)
{
    ldc_associate kept = *associate;
    bool answer = kept.request && !request;

    if (answer) {
        associate->called = associate->calling = NULL;
    }
    ldc_associate_default(associate);
    associate->request = request;
    if (answer) {
        associate->version = kept.version;
        associate->called = kept.called;
        associate->calling = kept.calling;
        memcpy(associate->application, kept.application, sizeof kept.application);
        associate->has_wire = kept.has_wire;
        memcpy(associate->wire, kept.wire, sizeof kept.wire);
    }
}

static char *copy_title(const char *title, bool *good)
{
    char *copy = ldc_strdup(title);

    *good = *good && (copy != NULL || title == NULL);
    return copy;
}

ldc_associate *ldc_associate_clone(const ldc_associate *associate)
{
    ldc_associate *copy = ldc_associate_create(associate->request);
    bool good = copy != NULL;

    if (!good) {
        return NULL;
    }
    ldc_associate_clear(copy);
    /* All that is plain, then all that is owned, so that a failure half-way can be freed. */
    *copy = *associate;
    copy->called = copy->calling = NULL;
    copy->contexts = NULL;
    copy->context_count = 0;
    good = ldc_associate_clone_items(copy, associate);
    copy->called = copy_title(associate->called, &good);
    copy->calling = copy_title(associate->calling, &good);
    for (size_t i = 0; good && i < associate->context_count; i++) {
        good = ldc_grow(&copy->contexts, i, sizeof *copy->contexts);
        if (good) {
            copy->contexts[i] = associate->contexts[i];
            copy->context_count++;
            good =
                ldc_uid_list_clone(&copy->contexts[i].transfers, &associate->contexts[i].transfers);
        }
    }
    if (!good) {
        (void)out_of_memory();
        ldc_associate_free(copy);
        copy = NULL;
    }
    return copy;
}

/* ---- fixed fields ---- */

int ldc_associate_set_title(ldc_associate *associate, bool called, const char *title)
{
    char **member = called ? &associate->called : &associate->calling;
    char *copy = NULL;
    size_t length = trim(&title);

    if (length > 0) {
        copy = strndup(title, length);
        if (copy == NULL) {
            return out_of_memory();
        }
    }
    free(*member);
    *member = copy;
    return DICOM_SUCCESS;
}

const char *ldc_associate_title(const ldc_associate *associate, bool called)
{
    const char *title = called ? associate->called : associate->calling;

    return title == NULL ? "" : title;
}

int ldc_associate_set_application(ldc_associate *associate, const char *uid)
{
    return set_uid(associate->application, "the application context name", uid, true);
}

/* Position of the first character outside of ASCII `low`..7EH, counted from 1; 0: there is none. */
static size_t odd_character(const char *text, size_t length, char low)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] < low || text[i] > 0x7E) {
            return i + 1;
        }
    }
    return 0;
}

/* Peers put words in here, and a program may repeat what its peer said: any text that is safe. */
int ldc_associate_set_implementation_class(ldc_associate *associate, const char *uid)
{
    size_t length = trim(&uid);

    if (length >= LDC_UID_SIZE || odd_character(uid, length, '!') != 0) {
        return bad_uid("the implementation class UID", uid);
    }
    ldc_uid_set(associate->implementation_class, uid, length);
    return DICOM_SUCCESS;
}

int ldc_associate_set_implementation_version(ldc_associate *associate, const char *name)
{
    size_t length = trim(&name);

    if (length >= LDC_VERSION_NAME_SIZE) {
        return ldc_error(DICOM_ERROR_PARAMETER,
                         "the implementation version name \"%.80s\" has %zu characters; at most 16 "
                         "are allowed",
                         name, length);
    }
    size_t odd = odd_character(name, length, ' ');
    if (odd != 0) {
        return ldc_error(DICOM_ERROR_PARAMETER,
                         "the implementation version name has a character at position %zu that is "
                         "not printable ASCII; leave it out",
                         odd);
    }
    memset(associate->implementation_version, 0, sizeof associate->implementation_version);
    memcpy(associate->implementation_version, name, length);
    return DICOM_SUCCESS;
}

/* ---- presentation contexts ---- */

ldc_context *ldc_associate_context(const ldc_associate *associate, uint8_t id)
{
    for (size_t i = 0; i < associate->context_count; i++) {
        if (associate->contexts[i].id == id) {
            return &associate->contexts[i];
        }
    }
    return NULL;
}

static int no_context(uint8_t id)
{
    return ldc_error(DICOM_ERROR_PARAMETER,
                     "there is no presentation context %u; add it with AddPresentationContext", id);
}

bool ldc_context_offers(const ldc_context *context, const char *uid)
{
    for (size_t i = 0; i < context->transfers.count; i++) {
        if (strcmp(context->transfers.uids[i], uid) == 0) {
            return true;
        }
    }
    return false;
}

int ldc_associate_add_context(ldc_associate *associate, uint8_t id, uint8_t result,
                              const char *abstract)
{
    ldc_context context = {.id = id, .result = result};

    if (id % 2 == 0) {
        return ldc_error(DICOM_ERROR_PARAMETER,
                         "the presentation context id is %u; it has to be an odd number of 1..255",
                         id);
    }
    if (ldc_associate_context(associate, id) != NULL) {
        return ldc_error(DICOM_ERROR_PARAMETER,
                         "there is a presentation context %u already; take another odd number, or "
                         "delete it first",
                         id);
    }
    int rc = set_uid(context.abstract, "the abstract syntax", abstract, !associate->request);
    if (rc != DICOM_SUCCESS) {
        return rc;
    }
    if (!ldc_grow(&associate->contexts, associate->context_count, sizeof context)) {
        return out_of_memory();
    }
    associate->contexts[associate->context_count++] = context;
    return DICOM_SUCCESS;
}

/* Whether a class is still, or again, in a context. */
static void forget_class(ldc_associate *associate, const char *class_uid)
{
    if (class_uid[0] != '\0' && ldc_associate_find(associate, 0, class_uid) == 0) {
        ldc_associate_drop_role(associate, class_uid);
        ldc_associate_drop_extended(associate, class_uid);
    }
}

int ldc_associate_set_context(ldc_associate *associate, uint8_t id, uint8_t result,
                              const char *abstract)
{
    ldc_context *context = ldc_associate_context(associate, id);
    char before[LDC_UID_SIZE];

    if (context == NULL) {
        return no_context(id);
    }
    memcpy(before, context->abstract, sizeof before);
    int rc = set_uid(context->abstract, "the abstract syntax", abstract, !associate->request);
    if (rc == DICOM_SUCCESS) {
        context->result = result;
        forget_class(associate, before);
    }
    return rc;
}

int ldc_associate_delete_context(ldc_associate *associate, uint8_t id)
{
    ldc_context *context = ldc_associate_context(associate, id);
    char class_uid[LDC_UID_SIZE];

    if (context == NULL) {
        return no_context(id);
    }
    memcpy(class_uid, context->abstract, sizeof class_uid);
    clear_context(context);
    ldc_shrink(associate->contexts, &associate->context_count, sizeof *context,
               (size_t)(context - associate->contexts));
    forget_class(associate, class_uid);
    return DICOM_SUCCESS;
}

int ldc_associate_add_transfer(ldc_associate *associate, uint8_t id, const char *uid)
{
    ldc_context *context = ldc_associate_context(associate, id);
    size_t length = trim(&uid);

    if (context == NULL) {
        return no_context(id);
    }
    if (!ldc_uid_valid(uid, length)) {
        return bad_uid("the transfer syntax", uid);
    }
    return ldc_uid_list_add(&context->transfers, uid, length);
}

uint8_t ldc_associate_find(const ldc_associate *associate, uint8_t after, const char *abstract)
{
    size_t length = trim(&abstract);
    size_t i = 0;

    if (after != 0) {
        const ldc_context *context = ldc_associate_context(associate, after);
        i = context == NULL ? associate->context_count
                            : (size_t)(context - associate->contexts) + 1;
    }
    for (; length > 0 && i < associate->context_count; i++) {
        const char *uid = associate->contexts[i].abstract;
        if (strlen(uid) == length && memcmp(uid, abstract, length) == 0) {
            return associate->contexts[i].id;
        }
    }
    return 0;
}
