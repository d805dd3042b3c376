-- What is different where macros may only read, and only what is within their reach. Code here is taken to be hostile:
-- what Lua opens itself, what writes, what ends no loop, and what runs without its instructions being counted is replaced.
local native = ...
local collectgarbage, error, getmetatable, pairs, pcall, rawget, select, setmetatable, tostring, type =
    collectgarbage, error, getmetatable, pairs, pcall, rawget, select, setmetatable, tostring, type
local math, tonumber = { max = math.max, tointeger = math.tointeger }, tonumber
local concat, pack, unpack = table.concat, table.pack, table.unpack
local find, gsub, rep, sub = string.find, string.gsub, string.rep, string.sub
local string_gmatch = string.gmatch
local io_open, io_type, load_any = io.open, io.type, load

-- So many files may be open: others on this machine need some too.
local MOST_FILES = 64
-- A table longer than this is none that a spec needs.
local MOST_ITEMS = 10000000

local function guarded(call, level)
    return function(...)
        local results = pack(call(...))
        if results[1] then
            return unpack(results, 2, results.n)
        end
        error(results[2], level)
    end
end
local hold, may, write = guarded(native.hold, 3), guarded(native.may, 3), native.write

local function refuse(what, text)
    may(what, text)
    return nil, "not allowed here", 1
end

-- A variable that is to be closed would be closed where instructions are counted, and what closes it is not counted.
local function load(code, ...)
    if type(code) == "function" then
        local pieces = {}
        for piece in code do
            if type(piece) ~= "string" then
                return nil, "reader function must return a string"
            elseif piece == "" then
                break
            end
            pieces[#pieces + 1] = piece
        end
        code = concat(pieces)
    end
    if type(code) == "string" and native.may_close(code) then
        return nil, "variables that are to be closed are not allowed here"
    end
    return load_any(code, ...)
end
_G.load = load

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
    for template in string_gmatch(path, "[^;]+") do
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
local function read_code(file)
    local code = file:read("a")
    file:close()
    if sub(code, 1, 1) == "#" then
        code = sub(code, find(code, "\n", 1, true) or #code + 1)
    end
    return code
end
local function load_file(what, path, ...)
    path = tostring(path)
    local file, message = open(what, path)
    if not file then
        return nil, "cannot open " .. message
    end
    return load(read_code(file), "@" .. path, "t", ...)
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
    local chunk, message = load(read_code(file), "@" .. found, "t")
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
_G.setmetatable = function(value, ...)
    local own = ...
    if type(own) == "table" and rawget(own, "__gc") ~= nil then
        return refuse("setmetatable", "__gc")
    end
    return native.setmetatable(value, ...)
end

-- Lua calls a handler where the error is: if that is where instructions are counted, those of the handler are not.
local function handled(handler, is_done, ...)
    if is_done then
        return true, ...
    end
    return false, select(2, pcall(handler, ...))
end
xpcall = function(call, handler, ...)
    return handled(handler, pcall(call, ...))
end

-- A coroutine that is ended because it took too long closes its variables while instructions are still counted.
local create = coroutine.create
local resume = coroutine.resume
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

-- Patterns: the functions of `string` as Lua has them, on a matcher that ends in time.
local find_plain, find_pattern = guarded(native.find_plain, 3), guarded(native.find_pattern, 3)

local function text(name, place, value)
    if not is_path(value) then
        local got = value == nil and "no value" or type(value)
        error("bad argument #" .. place .. " to '" .. name .. "' (string expected, got " .. got .. ")", 3)
    end
    return tostring(value)
end

-- Where to begin, counted from 0, or nothing if that is behind the end.
local function first_place(subject, from)
    from = math.tointeger(tonumber(from or 1)) or 1
    if from < 0 then
        from = math.max(#subject + from + 1, 1)
    elseif from == 0 then
        from = 1
    end
    return from <= #subject + 1 and from - 1 or nil
end

string.find = function(subject, pattern, from, is_plain)
    subject, pattern = text("find", 1, subject), text("find", 2, pattern)
    from = first_place(subject, from)
    if not from then
        return nil
    elseif is_plain or not find(pattern, "[%^%$%*%+%?%.%(%[%%%-]") then
        local start = find_plain(subject, pattern, from)
        if start then
            return start + 1, start + #pattern
        end
        return nil
    end
    local found = pack(find_pattern(subject, pattern, from))
    if not found[1] then
        return nil
    end
    return found[1] + 1, found[2], unpack(found, 3, found.n)
end

local function captured(subject, found)
    if found.n > 2 then
        return unpack(found, 3, found.n)
    end
    return sub(subject, found[1] + 1, found[2])
end

string.match = function(subject, pattern, from)
    subject, pattern = text("match", 1, subject), text("match", 2, pattern)
    from = first_place(subject, from)
    local found = from and pack(find_pattern(subject, pattern, from))
    if not found or not found[1] then
        return nil
    end
    return captured(subject, found)
end

string.gmatch = function(subject, pattern, from)
    subject, pattern = text("gmatch", 1, subject), text("gmatch", 2, pattern)
    local place, last = first_place(subject, from), nil
    -- A circumflex means itself here.
    pattern = sub(pattern, 1, 1) == "^" and "%" .. pattern or pattern
    return function()
        local found = place and pack(find_pattern(subject, pattern, place, last))
        if not found or not found[1] then
            place = nil
            return nil
        end
        place, last = found[2], found[2]
        return captured(subject, found)
    end
end

local function filled(template, subject, found)
    local pieces, at = {}, 1
    while true do
        local sign = find_plain(template, "%", at - 1)
        if not sign then
            break
        end
        pieces[#pieces + 1] = sub(template, at, sign)
        local letter = sub(template, sign + 2, sign + 2)
        local digit = letter ~= "" and find_plain("0123456789", letter, 0)
        if letter == "%" then
            pieces[#pieces + 1] = "%"
        elseif not digit then
            error("invalid use of '%' in replacement string", 3)
        elseif digit == 0 or (digit == 1 and found.n == 2) then
            pieces[#pieces + 1] = sub(subject, found[1] + 1, found[2])
        elseif digit > found.n - 2 then
            error("invalid capture index %" .. digit, 3)
        else
            pieces[#pieces + 1] = found[2 + digit]
        end
        at = sign + 3
    end
    pieces[#pieces + 1] = sub(template, at)
    return concat(pieces)
end

string.gsub = function(subject, pattern, replacement, most)
    subject, pattern = text("gsub", 1, subject), text("gsub", 2, pattern)
    local kind = type(replacement)
    if kind == "number" then
        replacement, kind = tostring(replacement), "string"
    elseif kind ~= "string" and kind ~= "table" and kind ~= "function" then
        local got = replacement == nil and "no value" or kind
        error("bad argument #3 to 'gsub' (string/function/table expected, got " .. got .. ")", 2)
    end
    local is_anchored = sub(pattern, 1, 1) == "^"
    local pieces, count, place, last = {}, 0, 0, nil
    while most == nil or count < most do
        local found = pack(find_pattern(subject, pattern, place, last))
        if not found[1] then
            break
        end
        local whole, value = sub(subject, found[1] + 1, found[2]), nil
        if kind == "string" then
            value = filled(replacement, subject, found)
        elseif kind == "table" then
            value = replacement[(captured(subject, found))]
        else
            value = replacement(captured(subject, found))
        end
        if not value then
            value = whole
        elseif not is_path(value) then
            error("invalid replacement value (a " .. type(value) .. ")", 2)
        end
        pieces[#pieces + 1] = sub(subject, place + 1, found[1])
        pieces[#pieces + 1] = value
        count, place, last = count + 1, found[2], found[2]
        if is_anchored then
            break
        end
    end
    pieces[#pieces + 1] = sub(subject, place + 1)
    return concat(pieces), count
end
