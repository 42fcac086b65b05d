package main

import (
	"fmt"
	"image/color"
	"os"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// plotted is the scenario in the picture.
const plotted = "spread"

// colors are those of the settings, in their order. They differ for people who
// cannot tell red from green, too.
var colors = []color.Color{
	color.RGBA{0x80, 0x80, 0x80, 255},
	color.RGBA{0xe6, 0x9f, 0x00, 255},
	color.RGBA{0x00, 0x72, 0xb2, 255},
}

// picture draws a day hour by hour, under each setting: SMS to the attacker, and
// beside them honest users without a code.
func picture(file string, plays []*play) error {
	sms, err := panel("SMS to the attacker, by hour", plays, func(d *day, hour int) int { return d.hours[hour].sent })
	if err != nil {
		return err
	}
	never, err := panel("Honest users without a code, by hour", plays, func(d *day, hour int) int { return d.hours[hour].never })
	if err != nil {
		return err
	}
	img := vgimg.NewWith(vgimg.UseWH(9*vg.Inch, 3.4*vg.Inch), vgimg.UseDPI(160))
	panels := [][]*plot.Plot{{sms, never}}
	tiles := draw.Tiles{Rows: 1, Cols: 2, PadX: 8 * vg.Millimeter, PadTop: 3 * vg.Millimeter, PadBottom: 2 * vg.Millimeter, PadLeft: 2 * vg.Millimeter, PadRight: 4 * vg.Millimeter}
	for i, canvas := range plot.Align(panels, tiles, draw.New(img))[0] {
		panels[0][i].Draw(canvas)
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	if _, err := (vgimg.PngCanvas{Canvas: img}).WriteTo(out); err != nil {
		_ = out.Close()
		return err
	}
	return out.Close()
}

// panel makes one of the pictures, with the day's sums in its legend.
func panel(title string, plays []*play, value func(d *day, hour int) int) (*plot.Plot, error) {
	plot.DefaultFont = font.Font{Typeface: "Liberation", Variant: "Sans"}
	p := plot.New()
	p.Title.Text = title
	p.Title.Padding = vg.Points(6)
	p.Title.TextStyle.Font.Size = vg.Points(12)
	p.X.Min, p.X.Max = 0, 24
	p.X.Label.Text = "hour, UTC"
	p.X.Tick.Marker = plot.ConstantTicks(everySixHours())
	p.Y.Min = 0
	p.Y.Tick.Marker = plot.TickerFunc(wholeNumbers)
	p.Legend.Top = true
	p.Legend.YOffs = -vg.Points(2)
	p.Legend.Padding = vg.Points(2)
	grid := plotter.NewGrid()
	grid.Vertical.Color = nil
	p.Add(grid)
	top := 0
	for i, play := range plays {
		sum := 0
		var steps plotter.XYs
		for hour := range 24 {
			n := value(play.day, hour)
			sum += n
			top = max(top, n)
			steps = append(steps, plotter.XY{X: float64(hour), Y: float64(n)}, plotter.XY{X: float64(hour + 1), Y: float64(n)})
		}
		line, err := plotter.NewLine(steps)
		if err != nil {
			return nil, err
		}
		line.Color, line.Width = colors[i%len(colors)], vg.Points(2)
		if i == len(plays)-1 {
			line.Width = vg.Points(3)
		}
		p.Add(line)
		p.Legend.Add(fmt.Sprintf("%s: %s", play.setting.name, thousands(sum)), line)
	}
	p.Y.Max = float64(max(10, top)) * 1.45 // leaves room for the legend
	return p, nil
}

func everySixHours() (ticks []plot.Tick) {
	for hour := 0; hour <= 24; hour += 6 {
		ticks = append(ticks, plot.Tick{Value: float64(hour), Label: fmt.Sprintf("%d:00", hour)})
	}
	return ticks
}

// wholeNumbers are the usual ticks, without decimals.
func wholeNumbers(min, max float64) []plot.Tick {
	ticks := plot.DefaultTicks{}.Ticks(min, max)
	for i, tick := range ticks {
		if tick.Label != "" {
			ticks[i].Label = thousands(int(tick.Value))
		}
	}
	return ticks
}
