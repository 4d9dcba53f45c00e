/* SPDX-License-Identifier: BSD-2-Clause */
/* Built-in profiles: PDPConfigs in a folder, by name. */
#ifndef KL_CONF_PROFILE_H
#define KL_CONF_PROFILE_H

/* The folder of those that came with this program: beside it where it is installed, or in its source tree.
 * Yours to free. Ends the command (status 4) when there is none. */
char *profile_folder(void);

/* The file of the profile of that name, in whatever case, or with a name it had before; *canonical is its
 * name now. Both are yours to free. Ends the command (status 2) when there is none, and lists those there
 * are. */
char *profile_path(const char *folder, const char *name, char **canonical);

#endif
