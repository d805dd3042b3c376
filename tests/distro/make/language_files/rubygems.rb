#!/usr/bin/ruby
# What installed gems give and need, for rpm.
STDIN.each_line do |path|
  gem = Gem::Specification.load(path.strip) or next
  if ARGV[0] == "--provides"
    puts "rubygem(#{gem.name}) = #{gem.version}"
    next
  end
  puts "ruby(rubygems)"
  gem.runtime_dependencies.each do |needed|
    parts = needed.requirement.requirements.flat_map do |sign, version|
      case sign
      when "~>" then [">= #{version}", "< #{version.bump}"]
      when "!=" then []
      else version == Gem::Version.new(0) ? [] : ["#{sign} #{version}"]
      end
    end
    name = "rubygem(#{needed.name})"
    ranges = parts.map { |part| "#{name} #{part}" }
    puts ranges.size > 1 ? "(#{ranges.join(" with ")})" : (ranges.first || name)
  end
end
