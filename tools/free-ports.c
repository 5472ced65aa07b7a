/* SPDX-License-Identifier: Apache-2.0 */
/* Prints COUNT TCP ports that are free on 127.0.0.1, for laboratories and tests. They lie below the kernel's
 * ephemeral range: a port from inside it could be taken by an outgoing connection while its node is down. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "node/base/config.h"

#define COUNT_MAX 64
#define LOWEST 10000
#define TRIES_MAX 10000

static int first_ephemeral(void)
{
    int first = 32768, last;
    FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
    if (!file) return first;
    if (fscanf(file, "%d %d", &first, &last) != 2) first = 32768;
    fclose(file);
    return first > LOWEST + 1000 ? first : 65536;
}

/* A socket bound to the port, or -1. Held until the program ends so that no port is printed twice. */
static int hold(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
    if (fd >= 0) close(fd);
    return -1;
}

int main(int argc, char **argv)
{
    int64_t wanted;
    if (argc != 2 || !kz_parse_integer(argv[1], &wanted) || wanted < 1 || wanted > COUNT_MAX) {
        fprintf(stderr, "usage: free-ports COUNT   (1 to %d)\n", COUNT_MAX);
        return 2;
    }
    int span = first_ephemeral() - LOWEST;
    for (int tries = 0; wanted > 0 && tries < TRIES_MAX; tries++) {
        unsigned random;
        if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random) continue;
        int port = LOWEST + (int)(random % (unsigned)span);
        if (hold(port) < 0) continue;
        printf("%d\n", port);
        wanted--;
    }
    if (wanted == 0) return 0;
    fprintf(stderr, "free-ports: no free port on 127.0.0.1 after %d tries\n", TRIES_MAX);
    return 1;
}
