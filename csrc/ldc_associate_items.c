/*
 * ldc_associate_items.c - the user-information items of the association object: roles, extended
 * negotiation, user identity, and those that are kept as bytes (ldc_associate.h says the rules).
 */
#include <stdlib.h>
#include <string.h>

#include "ldc_associate.h"
#include "ldc_error.h"
#include "ltdic.h"

static int out_of_memory(void)
{
    return ldc_error(DICOM_ERROR_MEMORY, "%s", "");
}

static int bad_class(const char *class_uid)
{
    return ldc_error(DICOM_ERROR_PARAMETER,
                     "the SOP class is \"%.80s\"; a UID has 1 to 64 digits and dots, as "
                     "1.2.840.10008.1.1",
                     class_uid == NULL ? "" : class_uid);
}

static bool good_class(const char *class_uid)
{
    return class_uid != NULL && ldc_uid_valid(class_uid, strlen(class_uid));
}

static int too_many(const char *what)
{
    return ldc_error(DICOM_ERROR_PARAMETER,
                     "there are %d SOP classes with %s already, one for each possible context; "
                     "remove one",
                     LDC_CLASSES, what);
}

/* ---- blocks of bytes ---- */

/* `secret`: leaves no copy of a password behind. */
static void clear_block(ldc_block *block, bool secret)
{
    if (secret && block->bytes != NULL) {
        explicit_bzero(block->bytes, block->length);
    }
    free(block->bytes);
    *block = (ldc_block){NULL, 0};
}

static bool make_block(ldc_block *block, const void *bytes, size_t length)
{
    *block = (ldc_block){NULL, 0};
    if (length == 0) {
        return true;
    }
    block->bytes = malloc(length);
    if (block->bytes == NULL) {
        return false;
    }
    memcpy(block->bytes, bytes, length);
    block->length = length;
    return true;
}

static bool clone_block(ldc_block *to, const ldc_block *from)
{
    return make_block(to, from->bytes, from->length);
}

static int check_block(const char *what, const void *bytes, size_t length, size_t most)
{
    if (bytes == NULL && length > 0) {
        return ldc_error(DICOM_ERROR_PARAMETER, "%s is NULL, and %zu bytes are said to be there",
                         what, length);
    }
    if (length > most) {
        return ldc_error(DICOM_ERROR_PARAMETER,
                         "%s has %zu bytes; the item on the wire has room for %zu", what, length,
                         most);
    }
    return DICOM_SUCCESS;
}

/* ---- role selection ---- */

static ldc_role *find_role(const ldc_associate *associate, const char *class_uid)
{
    for (size_t i = 0; i < associate->role_count; i++) {
        if (strcmp(associate->roles[i].class_uid, class_uid) == 0) {
            return &associate->roles[i];
        }
    }
    return NULL;
}

const ldc_role *ldc_associate_role(const ldc_associate *associate, const char *class_uid)
{
    return find_role(associate, class_uid);
}

int ldc_associate_put_role(ldc_associate *associate, const char *class_uid, uint8_t user,
                           uint8_t provider)
{
    if (!good_class(class_uid)) {
        return bad_class(class_uid);
    }
    if (user > 1 || provider > 1) {
        return ldc_error(DICOM_ERROR_PARAMETER,
                         "the roles are %u (user) and %u (provider); each is 0, not supported, or "
                         "1, supported",
                         user, provider);
    }
    ldc_role *role = find_role(associate, class_uid);
    if (role == NULL) {
        if (associate->role_count >= LDC_CLASSES) {
            return too_many("role selection");
        }
        if (!ldc_grow(&associate->roles, associate->role_count, sizeof *role)) {
            return out_of_memory();
        }
        role = &associate->roles[associate->role_count++];
        memset(role, 0, sizeof *role);
        ldc_uid_set(role->class_uid, class_uid, strlen(class_uid));
    }
    role->user = user;
    role->provider = provider;
    return DICOM_SUCCESS;
}

void ldc_associate_drop_role(ldc_associate *associate, const char *class_uid)
{
    const ldc_role *role = find_role(associate, class_uid);

    if (role != NULL) {
        ldc_shrink(associate->roles, &associate->role_count, sizeof *role,
                   (size_t)(role - associate->roles));
    }
}

/* ---- SOP class extended negotiation ---- */

static ldc_extended *find_extended(const ldc_associate *associate, const char *class_uid)
{
    for (size_t i = 0; i < associate->extended_count; i++) {
        if (strcmp(associate->extended[i].class_uid, class_uid) == 0) {
            return &associate->extended[i];
        }
    }
    return NULL;
}

const ldc_extended *ldc_associate_extended(const ldc_associate *associate, const char *class_uid)
{
    return find_extended(associate, class_uid);
}

int ldc_associate_put_extended(ldc_associate *associate, const char *class_uid, const void *data,
                               size_t length)
{
    ldc_block block;

    if (!good_class(class_uid)) {
        return bad_class(class_uid);
    }
    int rc = check_block("the extended negotiation data", data, length,
                         (size_t)LDC_ITEM_LENGTH - 2 - strlen(class_uid));
    if (rc != DICOM_SUCCESS) {
        return rc;
    }
    ldc_extended *extended = find_extended(associate, class_uid);
    if (extended == NULL) {
        if (associate->extended_count >= LDC_CLASSES) {
            return too_many("extended negotiation");
        }
        if (!ldc_grow(&associate->extended, associate->extended_count, sizeof *extended)) {
            return out_of_memory();
        }
    }
    if (!make_block(&block, data, length)) {
        return out_of_memory();
    }
    if (extended == NULL) {
        extended = &associate->extended[associate->extended_count++];
        memset(extended, 0, sizeof *extended);
        ldc_uid_set(extended->class_uid, class_uid, strlen(class_uid));
    }
    clear_block(&extended->data, false);
    extended->data = block;
    return DICOM_SUCCESS;
}

void ldc_associate_drop_extended(ldc_associate *associate, const char *class_uid)
{
    ldc_extended *extended = find_extended(associate, class_uid);

    if (extended != NULL) {
        clear_block(&extended->data, false);
        ldc_shrink(associate->extended, &associate->extended_count, sizeof *extended,
                   (size_t)(extended - associate->extended));
    }
}

/* ---- SOP class common extended negotiation ---- */

static ldc_common *find_common(const ldc_associate *associate, const char *class_uid)
{
    for (size_t i = 0; i < associate->common_count; i++) {
        if (strcmp(associate->common[i].class_uid, class_uid) == 0) {
            return &associate->common[i];
        }
    }
    return NULL;
}

int ldc_associate_put_common(ldc_associate *associate, const char *class_uid,
                             const char *service_uid)
{
    if (!good_class(class_uid) || !good_class(service_uid)) {
        return bad_class(good_class(class_uid) ? service_uid : class_uid);
    }
    ldc_common *common = find_common(associate, class_uid);
    if (common == NULL) {
        if (associate->common_count >= LDC_CLASSES) {
            return too_many("common extended negotiation");
        }
        if (!ldc_grow(&associate->common, associate->common_count, sizeof *common)) {
            return out_of_memory();
        }
        common = &associate->common[associate->common_count++];
        memset(common, 0, sizeof *common);
        ldc_uid_set(common->class_uid, class_uid, strlen(class_uid));
    }
    ldc_uid_list_clear(&common->related);
    ldc_uid_set(common->service_uid, service_uid, strlen(service_uid));
    return DICOM_SUCCESS;
}

int ldc_associate_add_related(ldc_associate *associate, const char *class_uid, const char *uid)
{
    ldc_common *common = class_uid == NULL ? NULL : find_common(associate, class_uid);

    if (common == NULL) {
        return ldc_error(DICOM_ERROR_PARAMETER,
                         "SOP class \"%.80s\" has no common extended negotiation; add it first",
                         class_uid == NULL ? "" : class_uid);
    }
    if (!good_class(uid)) {
        return bad_class(uid);
    }
    return ldc_uid_list_add(&common->related, uid, strlen(uid));
}

void ldc_associate_drop_common(ldc_associate *associate)
{
    for (size_t i = 0; i < associate->common_count; i++) {
        ldc_uid_list_clear(&associate->common[i].related);
    }
    free(associate->common);
    associate->common = NULL;
    associate->common_count = 0;
}

/* ---- user identity ---- */

int ldc_associate_set_identity(ldc_associate *associate, uint8_t type, bool response_wanted,
                               const void *primary, size_t primary_length, const void *secondary,
                               size_t secondary_length)
{
    ldc_block first = {NULL, 0}, second = {NULL, 0};
    /* PS3.7 Table D.3-14: type, response and two lengths take six bytes of the item. */
    const size_t room = LDC_ITEM_LENGTH - 6;

    int rc = check_block("the primary field of the user identity", primary, primary_length, room);
    if (rc == DICOM_SUCCESS) {
        rc = check_block("the secondary field of the user identity", secondary, secondary_length,
                         room - primary_length);
    }
    if (rc != DICOM_SUCCESS) {
        return rc;
    }
    if (type == 0) {
        return ldc_error(DICOM_ERROR_PARAMETER,
                         "the type of the user identity is 0; types are 1 user name, 2 user name "
                         "and passcode, 3 Kerberos, 4 SAML, 5 JSON web token");
    }
    if (!make_block(&first, primary, primary_length) ||
        !make_block(&second, secondary, secondary_length)) {
        clear_block(&first, true);
        return out_of_memory();
    }
    ldc_associate_drop_identity(associate);
    associate->has_identity = true;
    associate->identity_type = type;
    associate->identity_response_wanted = response_wanted;
    associate->identity_primary = first;
    associate->identity_secondary = second;
    return DICOM_SUCCESS;
}

void ldc_associate_drop_identity(ldc_associate *associate)
{
    clear_block(&associate->identity_primary, true);
    clear_block(&associate->identity_secondary, true);
    associate->has_identity = false;
    associate->identity_type = 0;
    associate->identity_response_wanted = false;
}

int ldc_associate_set_identity_response(ldc_associate *associate, const void *bytes, size_t length)
{
    ldc_block block;

    int rc = check_block("the response to the user identity", bytes, length,
                         LDC_ITEM_LENGTH - 2); /* PS3.7 Table D.3-15 */
    if (rc != DICOM_SUCCESS) {
        return rc;
    }
    if (!make_block(&block, bytes, length)) {
        return out_of_memory();
    }
    ldc_associate_drop_identity_response(associate);
    associate->has_identity_response = true;
    associate->identity_response = block;
    return DICOM_SUCCESS;
}

void ldc_associate_drop_identity_response(ldc_associate *associate)
{
    clear_block(&associate->identity_response, true);
    associate->has_identity_response = false;
}

/* ---- the others ---- */

int ldc_associate_add_item(ldc_associate *associate, uint8_t type, const void *data, size_t length)
{
    ldc_user_item item = {.type = type};

    if (type >= LDC_ITEM_MAX_LENGTH && type <= LDC_ITEM_IDENTITY_RESPONSE) {
        return ldc_error(DICOM_ERROR_PARAMETER,
                         "user-information items of type %02XH have functions of their own: use "
                         "those",
                         type);
    }
    int rc = check_block("the user-information item", data, length, LDC_ITEM_LENGTH);
    if (rc != DICOM_SUCCESS) {
        return rc;
    }
    if (!ldc_grow(&associate->items, associate->item_count, sizeof item) ||
        !make_block(&item.data, data, length)) {
        return out_of_memory();
    }
    associate->items[associate->item_count++] = item;
    return DICOM_SUCCESS;
}

/* ---- all ---- */

void ldc_associate_clear_items(ldc_associate *associate)
{
    free(associate->roles);
    for (size_t i = 0; i < associate->extended_count; i++) {
        clear_block(&associate->extended[i].data, false);
    }
    free(associate->extended);
    ldc_associate_drop_common(associate);
    ldc_associate_drop_identity(associate);
    ldc_associate_drop_identity_response(associate);
    for (size_t i = 0; i < associate->item_count; i++) {
        clear_block(&associate->items[i].data, false);
    }
    free(associate->items);
    associate->roles = NULL;
    associate->extended = NULL;
    associate->items = NULL;
    associate->role_count = associate->extended_count = associate->item_count = 0;
}

static bool clone_common(ldc_associate *to, const ldc_associate *from)
{
    for (size_t i = 0; i < from->common_count; i++) {
        if (!ldc_grow(&to->common, i, sizeof *to->common)) {
            return false;
        }
        to->common[i] = from->common[i];
        to->common_count++;
        if (!ldc_uid_list_clone(&to->common[i].related, &from->common[i].related)) {
            return false;
        }
    }
    return true;
}

bool ldc_associate_clone_items(ldc_associate *to, const ldc_associate *from)
{
    bool good = true;

    /* `to` may be a plain copy of `from`: first nothing of it is owned twice. */
    to->roles = NULL;
    to->extended = NULL;
    to->common = NULL;
    to->items = NULL;
    to->role_count = to->extended_count = to->common_count = to->item_count = 0;
    to->identity_primary = to->identity_secondary = to->identity_response = (ldc_block){NULL, 0};

    for (size_t i = 0; good && i < from->role_count; i++) {
        const ldc_role *role = &from->roles[i];
        good = ldc_associate_put_role(to, role->class_uid, role->user, role->provider) == 0;
    }
    for (size_t i = 0; good && i < from->extended_count; i++) {
        const ldc_extended *extended = &from->extended[i];
        good = ldc_associate_put_extended(to, extended->class_uid, extended->data.bytes,
                                          extended->data.length) == 0;
    }
    for (size_t i = 0; good && i < from->item_count; i++) {
        const ldc_user_item *item = &from->items[i];
        good = ldc_associate_add_item(to, item->type, item->data.bytes, item->data.length) == 0;
    }
    return good && clone_common(to, from) &&
           clone_block(&to->identity_primary, &from->identity_primary) &&
           clone_block(&to->identity_secondary, &from->identity_secondary) &&
           clone_block(&to->identity_response, &from->identity_response);
}
