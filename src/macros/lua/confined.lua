-- What is different where macros may only read, and only what is within their reach. Code here is taken to be hostile:
-- what Lua opens itself, what writes, what ends no loop, and what runs without its instructions being counted is replaced.
local native = ...
local collectgarbage, error, getmetatable, ipairs, pairs, pcall, rawget, select, setmetatable, tostring, type =
    collectgarbage, error, getmetatable, ipairs, pairs, pcall, rawget, select, setmetatable, tostring, type
local concat, pack, unpack = table.concat, table.pack, table.unpack
local find, gsub, rep, sub = string.find, string.gsub, string.rep, string.sub
local io_open, io_type, load = io.open, io.type, load

-- So many files may be open: others on this machine need some too.
local MOST_FILES = 64
-- A table longer than this is none that a spec needs.
local MOST_ITEMS = 10000000

local function guarded(call)
    return function(...)
        local results = pack(call(...))
        if results[1] then
            return unpack(results, 2, results.n)
        end
        error(results[2], 2)
    end
end
local hold, may, write = guarded(native.hold), guarded(native.may), native.write

local function refuse(what, text)
    may(what, text)
    return nil, "not allowed here", 1
end

-- Files: opened by the host, link by link; Lua gets what is open already.
local opened = setmetatable({}, { __mode = "k" })

local function count_open()
    local count = 0
    for file in pairs(opened) do
        if io_type(file) == "file" then
            count = count + 1
        end
    end
    return count
end

local function open(what, path)
    if count_open() >= MOST_FILES then
        collectgarbage()
        if count_open() >= MOST_FILES then
            return nil, path .. ": Too many open files", 24
        end
    end
    local held, name, code = hold(what, path)
    if not held then
        return nil, name, code
    end
    local file = io_open(name, "rb")
    held:release()
    if not file then
        return nil, path .. ": can't be opened", 5
    end
    opened[file] = true
    return file
end

local function is_path(path)
    return type(path) == "string" or type(path) == "number"
end

-- What stands for the streams of the terminal: it can be written to, as `print` does, and nothing else.
local terminal = {}
local function write_all(stream, ...)
    local words = pack(...)
    for at = 1, words.n do
        if not is_path(words[at]) then
            error("bad argument #" .. at .. " to 'write' (string expected, got " .. type(words[at]) .. ")", 3)
        end
    end
    write(concat(words))
    return stream
end
for name, method in pairs {
    write = function(stream, ...) return write_all(stream, ...) end,
    flush = function(stream) return stream end,
    setvbuf = function() return true end,
    close = function() return refuse("file:close", "standard output") end,
    read = function() return refuse("file:read", "standard input") end,
    lines = function() return function() return refuse("file:lines", "standard input") end end,
    seek = function() return nil, "Illegal seek", 29 end,
} do
    terminal[name] = method
end
local function new_stream()
    return setmetatable({}, {
        __index = terminal, __metatable = false, __name = "FILE*",
        __tostring = function() return "file (terminal)" end,
    })
end
local stdin, stdout, stderr = new_stream(), new_stream(), new_stream()

-- Nobody takes the methods of real files away, and what ends them.
getmetatable(io.stdout).__metatable = false

local input = stdin
local popen, tmpfile = io.popen, io.tmpfile
io = {
    stdin = stdin, stdout = stdout, stderr = stderr, popen = popen, tmpfile = tmpfile,
    open = function(path, mode)
        if not is_path(path) then
            error("bad argument #1 to 'open' (string expected, got " .. type(path) .. ")", 2)
        elseif mode ~= nil and mode ~= "r" and mode ~= "rb" then
            return refuse("io.open", tostring(path))
        end
        return open("io.open", tostring(path))
    end,
    input = function(file)
        if is_path(file) then
            local path, message = tostring(file)
            file, message = open("io.input", path)
            if not file then
                error(message, 2)
            end
        end
        input = file or input
        return input
    end,
    output = function(file)
        if is_path(file) then
            return refuse("io.output", tostring(file))
        end
        return stdout
    end,
    read = function(...)
        return input:read(...)
    end,
    write = function(...)
        return write_all(stdout, ...)
    end,
    lines = function(path, ...)
        if path == nil then
            return input:lines(...)
        end
        local file, message = open("io.lines", tostring(path))
        if not file then
            error(message, 2)
        end
        local next_line = file:lines(...)
        return function()
            local results = pack(next_line())
            if results[1] == nil then
                file:close()
            end
            return unpack(results, 1, results.n)
        end, nil, nil, file
    end,
    close = function(file)
        return (file or stdout):close()
    end,
    type = function(file)
        if file == stdin or file == stdout or file == stderr then
            return "file"
        end
        return io_type(file)
    end,
}
package.loaded.io = io

local setlocale = os.setlocale
os.setlocale = function(locale, category)
    if locale ~= nil then
        return refuse("os.setlocale", tostring(locale))
    end
    return setlocale(nil, category)
end

-- `require` finds its files as `io.open` does.
local function search_path(what, name, path, separator, replacement)
    name, path = tostring(name), tostring(path)
    separator, replacement = tostring(separator or "."), tostring(replacement or "/")
    local from, pieces = 1, {}
    while separator ~= "" do
        local first, last = find(name, separator, from, true)
        if not first then
            break
        end
        pieces[#pieces + 1] = sub(name, from, first - 1)
        from = last + 1
    end
    pieces[#pieces + 1] = sub(name, from)
    name = concat(pieces, replacement)
    local looked_at = {}
    for template in string.gmatch(path, "[^;]+") do
        local found = gsub(template, "%?", (gsub(name, "%%", "%%%%")))
        local file = open(what, found)
        if file then
            return found, file
        end
        looked_at[#looked_at + 1] = "\n\tno file '" .. found .. "'"
    end
    return nil, concat(looked_at)
end
-- A script without its first line if that is one for the system; the end of the line stays, so that lines count.
local function load_file(what, path, ...)
    path = tostring(path)
    local file, message = open(what, path)
    if not file then
        return nil, "cannot open " .. message
    end
    local code = file:read("a")
    file:close()
    if sub(code, 1, 1) == "#" then
        code = sub(code, find(code, "\n", 1, true) or #code + 1)
    end
    return load(code, "@" .. path, "t", ...)
end
loadfile = function(path, _, ...)
    return load_file("loadfile", path, ...)
end
dofile = function(path)
    local chunk, message = load_file("dofile", path)
    if not chunk then
        error(message, 0)
    end
    return chunk()
end
package.searchpath = function(...)
    local found, file = search_path("package.searchpath", ...)
    if found then
        file:close()
        return found
    end
    return nil, file
end
package.searchers[2] = function(name)
    local found, file = search_path("require", name, package.path)
    if not found then
        return file
    end
    local code = file:read("a")
    file:close()
    local chunk, message = load(code, "@" .. found)
    if not chunk then
        error("error loading module '" .. name .. "' from file '" .. found .. "':\n\t" .. message, 0)
    end
    return chunk, found
end
for at = #package.searchers, 3, -1 do
    package.searchers[at] = nil
end
package.loadlib = nil

-- No instruction is counted while the collector ends what is garbage.
setmetatable = function(value, ...)
    local own = ...
    if type(own) == "table" and rawget(own, "__gc") ~= nil then
        return refuse("setmetatable", "__gc")
    end
    return native.setmetatable(value, ...)
end

-- A coroutine that is ended because it took too long closes its variables while instructions are still counted.
local create = coroutine.create
local resume, status = coroutine.resume, coroutine.status
local function passed(is_done, ...)
    if is_done then
        return ...
    end
    error((...), 0)
end
coroutine.create = function(body)
    if type(body) ~= "function" then
        return create(body)
    end
    return create(function(...)
        return passed(pcall(body, ...))
    end)
end
coroutine.wrap = function(body)
    local thread = coroutine.create(body)
    return function(...)
        return passed(resume(thread, ...))
    end
end

-- What loops in C for as long as somebody else's `__len` or numbers say, loops here.
local insert, remove, sort = table.insert, table.remove, table.sort
local function plain(name, value)
    if type(value) == "table" and getmetatable(value) == nil then
        return value
    end
    error("bad argument #1 to '" .. name .. "' (plain table expected, got " .. type(value) .. ")", 3)
end
table.insert = function(list, ...)
    return insert(plain("insert", list), ...)
end
table.remove = function(list, ...)
    return remove(plain("remove", list), ...)
end
table.sort = function(list, ...)
    return sort(plain("sort", list), ...)
end
table.concat = function(list, ...)
    return concat(plain("concat", list), ...)
end
table.move = function(from, first, last, place, to)
    to = to or from
    if last - first >= MOST_ITEMS then
        error("too many elements to move", 2)
    end
    if place > first and place <= last and to == from then
        for at = last - first, 0, -1 do
            to[place + at] = from[first + at]
        end
    else
        for at = 0, last - first do
            to[place + at] = from[first + at]
        end
    end
    return to
end
string.rep = function(text, count, separator)
    if text == "" and (separator == nil or separator == "") then
        return ""
    end
    return rep(text, count, separator)
end
