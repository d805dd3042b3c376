// What a hostile program asks of the kernel. `attack calls` prints a line for each call that no build needs: its name and
// how it ended. The other words are single attacks, whose lines say how they ended.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <unistd.h>

static const char *ended(long result) {
    if (result >= 0) return "allowed";
    const char *name = strerrorname_np(errno);
    return name ? name : "unknown";
}

static void tell(const char *name, long result) { printf("%s: %s\n", name, ended(result)); fflush(stdout); }

struct call { const char *name; long number; long a, b, c, d, e; };

#ifndef SYS_open_tree_attr
#define SYS_open_tree_attr 467
#endif
#ifndef SYS_statmount
#define SYS_statmount 457
#define SYS_listmount 458
#endif

static char page[65536] __attribute__((aligned(4096)));
#define P ((long)page)

// The arguments are such that a kernel that lets one through does no harm.
static const struct call calls[] = {
    {"mount", SYS_mount, P, P, P, 0, 0}, {"umount2", SYS_umount2, P, 0}, {"pivot_root", SYS_pivot_root, P, P},
    {"chroot", SYS_chroot, P}, {"move_mount", SYS_move_mount, -1, P, -1, P, 0}, {"open_tree", SYS_open_tree, AT_FDCWD, P, 0},
    {"open_tree_attr", SYS_open_tree_attr, AT_FDCWD, P, 0, 0, 0}, {"fsopen", SYS_fsopen, (long)"tmpfs", 0},
    {"fsconfig", SYS_fsconfig, -1, 6, 0, 0, 0}, {"fsmount", SYS_fsmount, -1, 0, 0}, {"fspick", SYS_fspick, AT_FDCWD, P, 0},
    {"statmount", SYS_statmount, P, P, 512, 0, 0}, {"listmount", SYS_listmount, P, P, 8, 0, 0},
    {"mount_setattr", SYS_mount_setattr, AT_FDCWD, P, 0, P, 32}, {"setns", SYS_setns, -1, 0},
    {"unshare user", SYS_unshare, CLONE_NEWUSER}, {"unshare mount", SYS_unshare, CLONE_NEWNS},
    {"clone3", SYS_clone3, 0, 0}, {"keyctl", SYS_keyctl, 0, -3, 0}, {"add_key", SYS_add_key, (long)"user", (long)"attack", P, 1, -3},
    {"request_key", SYS_request_key, (long)"user", (long)"attack", 0, -3}, {"bpf", SYS_bpf, 0, P, 0},
    {"perf_event_open", SYS_perf_event_open, P, 0, -1, -1, 0}, {"userfaultfd", SYS_userfaultfd, 1},
    {"syslog", SYS_syslog, 3, P, 4096}, {"init_module", SYS_init_module, P, 0, P}, {"finit_module", SYS_finit_module, -1, P, 0},
    {"delete_module", SYS_delete_module, P, 0}, {"kexec_load", SYS_kexec_load, 0, 0, 0, 0}, {"reboot", SYS_reboot, 0, 0, 0, 0},
    {"swapon", SYS_swapon, P, 0}, {"swapoff", SYS_swapoff, P}, {"acct", SYS_acct, P}, {"quotactl", SYS_quotactl, 0, P, 0, P},
    {"settimeofday", SYS_settimeofday, P, 0}, {"clock_settime", SYS_clock_settime, 0, P}, {"adjtimex", SYS_adjtimex, P},
    {"sethostname", SYS_sethostname, P, 1}, {"setdomainname", SYS_setdomainname, P, 1}, {"vhangup", SYS_vhangup},
    {"open_by_handle_at", SYS_open_by_handle_at, AT_FDCWD, P, 0}, {"io_uring_setup", SYS_io_uring_setup, 1, P},
    {"io_uring_enter", SYS_io_uring_enter, -1, 0, 0, 0, 0}, {"io_uring_register", SYS_io_uring_register, -1, 0, 0, 0},
};

static int new_user_by_clone(void) {
    long child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
    if (child == 0) _exit(0);
    tell("clone into a user namespace", child);
    return 0;
}

#ifdef __x86_64__
static long of_i386(long number, long a, long b) {
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(0), "S"(0), "D"(0) : "memory", "r8", "r9", "r10", "r11");
    if (result < 0 && result > -4096) { errno = -result; return -1; }
    return result;
}

static long of_x32(long number) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(0x40000000 + number), "D"(0), "S"(0), "d"(0) : "rcx", "r11", "memory");
    if (result < 0 && result > -4096) { errno = -result; return -1; }
    return result;
}
#endif

static void other_numbers(void) {
#ifdef __x86_64__
    tell("mount of i386", of_i386(21, 0, 0));
    tell("umount of i386", of_i386(22, 0, 0));
    tell("unshare of i386", of_i386(310, CLONE_NEWUSER, 0));
    tell("clone3 of i386", of_i386(435, 0, 0));
    tell("keyctl of i386", of_i386(288, 0, -3));
    tell("bpf of i386", of_i386(357, 0, 0));
    tell("mount of x32", of_x32(SYS_mount));
    tell("unshare of x32", of_x32(SYS_unshare));
    tell("getpid of x32", of_x32(SYS_getpid));
#endif
}

// Where the terminal is the machine's, what is written here would be typed there.
static void type_into_terminal(void) {
    char c = '#';
    tell("TIOCSTI", ioctl(0, TIOCSTI, &c));
    tell("TIOCLINUX", ioctl(0, TIOCLINUX, &c));
    tell("the terminal", open("/dev/tty", O_RDWR));
}

static void into_process(int pid) {
    char name[64];
    tell("ptrace attach", ptrace(PTRACE_ATTACH, pid, 0, 0));
    tell("ptrace seize", ptrace(PTRACE_SEIZE, pid, 0, 0));
    struct iovec own = {page, 16}, theirs = {(void *)0x400000, 16};
    tell("process_vm_readv", syscall(SYS_process_vm_readv, pid, &own, 1, &theirs, 1, 0));
    tell("process_vm_writev", syscall(SYS_process_vm_writev, pid, &own, 1, &theirs, 1, 0));
    int handle = syscall(SYS_pidfd_open, pid, 0);
    tell("pidfd_getfd", syscall(SYS_pidfd_getfd, handle, 3, 0));
    tell("kcmp", syscall(SYS_kcmp, pid, getpid(), 2, 0, 0));
    for (const char *const *file = (const char *const[]){"mem", "environ", "root/etc", "cwd/.", "fd/3", "fd/1", "exe", "maps", "auxv", "pagemap", "syscall", 0}; *file; file++) {
        snprintf(name, sizeof name, "/proc/%d/%s", pid, *file);
        int opened = open(name, O_RDONLY);
        // The kernel opens it for everybody, and tells nothing.
        if (opened >= 0 && (!strcmp(*file, "auxv") || !strcmp(*file, "pagemap") || !strcmp(*file, "maps") || !strcmp(*file, "environ"))) opened = read(opened, page, 8) > 0 ? 0 : (errno = EACCES, -1);
        snprintf(name, sizeof name, "PID/%s", *file);
        tell(name, opened);
    }
}

static int connect_to(const char *kind, const char *where) {
    int result;
    if (!strcmp(kind, "tcp")) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(where)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        result = connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address);
    } else {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int is_abstract = !strcmp(kind, "abstract");
        strncpy(address.sun_path + is_abstract, where, sizeof address.sun_path - 2);
        socklen_t length = offsetof(struct sockaddr_un, sun_path) + is_abstract + strlen(where);
        result = connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, length);
    }
    tell(kind, result);
    return 0;
}

static void memory_in_files(long megabytes) {
    memset(page, 1, sizeof page);
    for (long file = 0; file < megabytes / 16; file++) {
        int memory = memfd_create("attack", 0);
        for (int piece = 0; piece < 256; piece++)
            if (write(memory, page, sizeof page) < 0) { tell("memfd", -1); return; }
        usleep(5000);
    }
    for (;;) pause();
}

static void eat(long megabytes) {
    for (long piece = 0; piece < megabytes; piece++) {
        char *memory = mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) { tell("mmap", -1); return; }
        memset(memory, 1, 1 << 20);
        usleep(300);
    }
    for (;;) pause();
}

static void deeply_nested(int levels) {
    for (int level = 0; level < levels; level++)
        if (mkdir("d", 0755) || chdir("d")) { tell("mkdir", -1); return; }
    tell("nested", 0);
}

// Runs a program for which calls of the kernel are missing: "mount_setattr=38,435=1 PROGRAM…" (numbers of calls and errors).
static int lacking(char **words) {
    struct sock_filter filter[128];
    int length = 0;
    filter[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (char *one = strtok(words[0], ","); one && length < 120; one = strtok(0, ",")) {
        int number, error;
        if (sscanf(one, "%d=%d", &number, &error) != 2) return 2;
        filter[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
        filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error);
    }
    filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {length, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) return 2;
    execvp(words[1], words + 1);
    return 127;
}

// Runs a program with a key in its session's keyring, as the sessions of people have them.
static int with_key(char **words) {
    syscall(SYS_keyctl, 1, words[0]);
    if (syscall(SYS_add_key, "user", words[0], words[0], strlen(words[0]), -3) < 0) fprintf(stderr, "no keys\n");
    execvp(words[1], words + 1);
    return 127;
}

int main(int count, char **words) {
    const char *what = count > 1 ? words[1] : "";
    if (!strcmp(what, "calls")) {
        for (size_t at = 0; at < sizeof calls / sizeof *calls; at++) {
            const struct call *call = &calls[at];
            tell(call->name, syscall(call->number, call->a, call->b, call->c, call->d, call->e));
        }
        new_user_by_clone();
        other_numbers();
        type_into_terminal();
    } else if (!strcmp(what, "into")) into_process(atoi(words[2]));
    else if (!strcmp(what, "connect")) connect_to(words[2], words[3]);
    else if (!strcmp(what, "memfd")) memory_in_files(atol(words[2]));
    else if (!strcmp(what, "eat")) eat(atol(words[2]));
    else if (!strcmp(what, "nest")) deeply_nested(atoi(words[2]));
    else if (!strcmp(what, "lacking")) return lacking(words + 2);
    else if (!strcmp(what, "with-key")) return with_key(words + 2);
    else return 2;
    return 0;
}
